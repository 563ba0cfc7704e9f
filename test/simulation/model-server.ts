import type { Endpoint } from "../../src/ports/network.ts";
import type { ModelDisk } from "./model-disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Manners, ServerCharacter } from "./server-character.ts";
import { ServerConnection } from "./server-connection.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { DialAnswer, SimulatedNetwork } from "./simulated-network.ts";
import type { SimulatedStream } from "./simulated-stream.ts";
import { OFFERS } from "./wire.ts";

/** What a model server is made of. */
export interface ModelServerOptions {
  readonly endpoint: Endpoint;
  readonly disk: ModelDisk;
  readonly network: SimulatedNetwork;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly character: ServerCharacter;
  /** Whether overlapping writes in flight together are reported; else they only do their harm. */
  readonly checksOverlap: boolean;
  /** Something happened that must not. */
  readonly report: (violation: string) => void;
  /** Something happened, for who reads the history. */
  readonly note: (event: string) => void;
}

const HAS_FLAGS = 1;
const RICH = HAS_FLAGS | OFFERS.FLUSH | OFFERS.FUA | OFFERS.TRIM | OFFERS.ZEROES | OFFERS.CACHE | OFFERS.FAST;

/**
 * A server as bad as the protocol allows, and a little worse: it answers in any order, dies at any moment, and comes back
 * poorer. What it carried out it keeps. Several connections may stand, but the first request on one ends those before it:
 * nothing is carried out late.
 */
export class ModelServer {
  readonly disk: ModelDisk;
  readonly clock: SimulatedClock;
  readonly character: ServerCharacter;
  readonly checksOverlap: boolean;
  readonly report: (violation: string) => void;
  readonly note: (event: string) => void;
  readonly #options: ModelServerOptions;
  readonly #host: { answer: DialAnswer };
  readonly #random: SeededRandom;
  /** The latest connection. */
  #connection: ServerConnection | undefined;
  /** The one that requests came over last. */
  #used: ServerConnection | undefined;
  readonly #standing = new Set<ServerConnection>();
  #accepted = 0;
  #flags = RICH;
  #up = true;
  #wellBehaved = false;

  constructor(options: ModelServerOptions) {
    this.#options = options;
    this.disk = options.disk;
    this.clock = options.clock;
    this.character = options.character;
    this.checksOverlap = options.checksOverlap;
    this.report = options.report;
    this.note = options.note;
    this.#random = options.random;
    this.#host = options.network.serve(options.endpoint, (stream) => this.#accept(stream));
  }

  /** The transmission flags that it offers now. */
  get flags(): number {
    return this.#flags;
  }

  /** How likely it answers a request with an error. */
  get errorChance(): number {
    return this.#wellBehaved ? 0 : this.character.errorChance;
  }

  /** It is there, and has not begun to go. */
  get up(): boolean {
    return this.#up;
  }

  /** Connections it was asked for so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The connection in use, or else the latest, was ended with DISC. */
  get wasLeftPolitely(): boolean {
    return [this.#used, this.#connection].some((connection) => connection?.saidGoodbye === true);
  }

  /** Stops misbehaving: from now on it is up and has good manners. */
  calm(): void {
    this.#wellBehaved = true;
    this.#up = true;
    this.#host.answer = "accept";
    for (const connection of this.#standing) connection.reform();
  }

  /** Dies, and is back after a while. */
  crash(downMs: number): void {
    this.note(`the server crashes and is away for ${downMs.toFixed(0)} ms`);
    this.#endAllBut(undefined);
    this.#goAway(downMs, this.#random.pick(["refuse", "refuse", "silence"]));
  }

  /** Answers ESHUTDOWN for a while, then dies, and is back after another. */
  shutDown(graceMs: number, downMs: number): void {
    this.note("the server shuts down");
    const connections = [...this.#standing];
    for (const connection of connections) connection.shutDown();
    this.clock.setTimer(graceMs, () => {
      for (const connection of connections) connection.destroy();
      if (!this.#wellBehaved) this.#goAway(downMs, "refuse");
    });
  }

  /** Cuts the wire of a connection. */
  sever(stream: SimulatedStream): void {
    this.#options.network.connectionOf(stream)?.sever(20);
  }

  #goAway(downMs: number, answer: DialAnswer): void {
    this.#up = false;
    this.#host.answer = answer;
    this.clock.setTimer(downMs, () => {
      this.#up = true;
      this.#host.answer = "accept";
      this.#flags = this.#random.chance(this.character.poorerChance) ? this.#poorer() : RICH;
    });
  }

  #poorer(): number {
    const gone = [OFFERS.FUA, OFFERS.TRIM, OFFERS.ZEROES, OFFERS.CACHE, OFFERS.FAST];
    return gone.reduce((flags: number, flag) => (this.#random.chance(0.5) ? flags & ~flag : flags), RICH);
  }

  #accept(stream: SimulatedStream): void {
    if (!this.#up) {
      stream.destroy();
      return;
    }
    if (this.#random.chance(this.character.jealousChance)) this.#endAllBut(undefined);
    this.#accepted += 1;
    const connection = new ServerConnection(this, stream, this.#random.fork(), this.#manners());
    this.#connection = connection;
    this.#standing.add(connection);
    connection.begin();
  }

  /** The connection was sent its first request: the ones before it are over. */
  takesOver(connection: ServerConnection): void {
    this.#used = connection;
    this.#endAllBut(connection);
  }

  #endAllBut(survivor: ServerConnection | undefined): void {
    for (const connection of this.#standing) {
      if (connection === survivor) continue;
      this.#standing.delete(connection);
      connection.destroy();
    }
  }

  #manners(): Manners {
    const random = this.#random;
    const bad = this.#accepted > 1 && !this.#wellBehaved && random.chance(this.character.badMannersChance);
    if (!bad) return { kind: "good" };
    const afterBytes = random.integer(random.pick([30, 200, 200, 2000]));
    const manners: Manners = random.pick<Manners>([
      { kind: "mute" },
      { kind: "stranger" },
      { kind: "refusing" },
      { kind: "old-style" },
      { kind: "breaking", afterBytes, how: random.pick(["close", "half-close", "cut"]) },
      { kind: "breaking", afterBytes, how: random.pick(["close", "half-close", "cut"]) },
      { kind: "nonsense", afterBytes },
      { kind: "shutting-down", afterReplies: random.integer(10) },
    ]);
    this.note(`the server accepts with bad manners: ${manners.kind}`);
    return manners;
  }
}
