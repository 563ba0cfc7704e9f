import assert from "node:assert";
import type { Endpoint } from "../../src/ports/network.ts";
import type { ModelDisk } from "./model-disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Manners, ServerCharacter } from "./server-character.ts";
import { ServerConnection } from "./server-connection.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { forgetfulOffer, fullOffer, poorerOffer, type ServerOffer } from "./server-offer.ts";
import type { DialAnswer, SimulatedNetwork } from "./simulated-network.ts";
import type { SimulatedStream } from "./simulated-stream.ts";

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
  /** It was asked for more than a read. */
  readonly asked: () => void;
  /** It has just crashed: what is left of the disk is what was stable. */
  readonly crashed: () => void;
}

/** How likely somebody repairs a server that has forgotten contexts, each time that it is connected to. */
const REMEMBER_CHANCE = 0.2;

/** After how many replies one breaks the protocol, with manners that do that; more than one, as there are many ways. */
const GRAMMARS: readonly number[] = [0, 1, 3, 10];

/**
 * A server as bad as the protocol allows, and a little worse: it answers in any order, dies at any moment, forgets what was
 * not flushed, comes back poorer, and may go on with the requests of connections that are long lost.
 */
export class ModelServer {
  readonly disk: ModelDisk;
  readonly clock: SimulatedClock;
  readonly character: ServerCharacter;
  readonly checksOverlap: boolean;
  readonly report: (violation: string) => void;
  readonly note: (event: string) => void;
  readonly asked: () => void;
  readonly #options: ModelServerOptions;
  readonly #host: { answer: DialAnswer };
  readonly #random: SeededRandom;
  /** In the order in which they came. */
  readonly #standing = new Set<ServerConnection>();
  /** Blocks that a request of a lost connection has changed after the loss. */
  readonly #lateBlocks = new Set<number>();
  /** The latest connection. */
  #connection: ServerConnection | undefined;
  /** The latest that requests came over. */
  #used: ServerConnection | undefined;
  #accepted = 0;
  #life = 0;
  #offer: ServerOffer;
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
    this.asked = options.asked;
    this.#random = options.random;
    this.#offer = fullOffer(options.character);
    this.#host = options.network.serve(options.endpoint, (stream) => this.#accept(stream));
  }

  /** What it offers now. */
  get offer(): ServerOffer {
    return this.#offer;
  }

  /** How likely it answers a request with an error. */
  get errorChance(): number {
    return this.#wellBehaved ? 0 : this.character.errorChance;
  }

  /** How likely a FLUSH fails. */
  get flushFailChance(): number {
    return this.#wellBehaved ? 0 : this.character.flushFailChance;
  }

  /** How likely it hangs up as soon as it is done with a connection that was given up; else it waits to be told. */
  get hangUpChance(): number {
    return this.#wellBehaved ? 0 : 0.5;
  }

  /** Counts its crashes. */
  get life(): number {
    return this.#life;
  }

  /** Blocks that a request of a lost connection has changed after the loss. */
  get lateBlocks(): ReadonlySet<number> {
    return this.#lateBlocks;
  }

  /** What was carried out late has been mended. */
  forgetLateBlocks(): void {
    this.#lateBlocks.clear();
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
    this.#remember();
    for (const connection of this.#standing) connection.reform();
  }

  /** Dies, loses its cache, and is back after a while. */
  crash(downMs: number): void {
    this.note(`the server crashes and is away for ${downMs.toFixed(0)} ms`);
    this.#endAllBut(undefined);
    this.#life += 1;
    if (this.disk.losesCache) {
      this.disk.crash(this.#random);
      this.#options.crashed();
    }
    this.#goAway(downMs, this.#random.chance(0.15) ? "silence" : "refuse");
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
      const { forgetfulChance, poorerChance } = this.character;
      this.#offer = fullOffer(this.character);
      if (this.#random.chance(poorerChance)) this.#offer = poorerOffer(this.#offer, this.#random);
      if (this.#wellBehaved || !this.#random.chance(forgetfulChance)) return;
      this.#offer = forgetfulOffer(this.#offer, this.#random);
      this.note(
        `the server is back ${this.#offer.structured ? `with ${this.#offer.contexts.length} contexts` : "without structured replies"}`,
      );
    });
  }

  /** Speaks as well as it once did: clients may wait for that. */
  #remember(): void {
    const { structured, contexts } = fullOffer(this.character);
    this.#offer = { ...this.#offer, structured, contexts };
  }

  #accept(stream: SimulatedStream): void {
    if (!this.#up) {
      stream.destroy();
      return;
    }
    const link = this.#options.network.connectionOf(stream);
    assert(link !== undefined, "accepted a connection that the network does not know");
    const { jealousChance, lateMs } = this.character;
    if (this.#random.chance(jealousChance)) this.#endAllBut(undefined);
    this.#accepted += 1;
    if (this.#random.chance(REMEMBER_CHANCE)) this.#remember();
    const connection = new ServerConnection(this, link, this.#random.fork(), this.#manners());
    this.#connection = connection;
    this.#standing.add(connection);
    if (lateMs !== undefined) link.whenLeft(() => connection.abandoned(lateMs));
    connection.begin();
  }

  /** The connection was sent its first request. */
  firstAsked(connection: ServerConnection): void {
    if (this.#used === undefined || connection.number > this.#used.number) this.#used = connection;
    if (this.character.takesOver) this.#endAllBut(connection);
  }

  /** A request of a lost connection changed this range. */
  carriedOutLate(offset: number, length: number): void {
    const { blockBytes } = this.disk;
    const end = offset + length;
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < end; block += 1) this.#lateBlocks.add(block);
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
      ...GRAMMARS.map((afterReplies): Manners => ({ kind: "ungrammatical", afterReplies })),
    ]);
    this.note(`the server accepts with bad manners: ${manners.kind}`);
    return manners;
  }
}
