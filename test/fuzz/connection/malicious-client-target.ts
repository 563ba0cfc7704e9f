import { Listener } from "../../../src/downstream/listener.ts";
import { LIMITS } from "../../../src/limits.ts";
import type { ByteStream, Listening, ListenOptions, Network } from "../../../src/ports/network.ts";
import type { GreetingStyle } from "../../../src/protocol/greeting-style.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { settle } from "../../unit/support/settle.ts";
import { AuditedLog } from "../support/audited-log.ts";
import { FuzzStream } from "../support/fuzz-stream.ts";
import { expectThat, Findings, type FuzzTarget } from "../support/fuzz-target.ts";
import { StepLimit } from "../support/step-limit.ts";
import { WatchedClock } from "../support/watched-clock.ts";
import { GUARDED_BYTES, GuardedDisk } from "./guarded-disk.ts";
import { HonestClient, type HonestField } from "./honest-client.ts";
import { MaliciousClient } from "./malicious-client.ts";

/** Small slabs, so that they fill up; they live on from input to input and are poisoned when they come home. */
const POOL = new SlabPool({ slabBytes: 80 * 1024, idleSlabs: LIMITS.idleSlabs, poison: true });

const FIELD: HonestField = {
  firstBlock: 0,
  blocks: GUARDED_BYTES / 512,
  firstWritable: GUARDED_BYTES / 1024,
};

const STEPS_LIMIT = 200_000;
/** Less than any deadline. */
const TIME_STEP_MS = 9_000;
/** Longer than any message may take. */
const MESSAGE_PATIENCE_MS = LIMITS.messageMs + LIMITS.discardPayloadBytes / LIMITS.payloadBytesPerMs + 1;

/** Hostile clients and honest ones at one real listener. */
export const maliciousClientTarget: FuzzTarget = {
  name: "malicious-client",
  role: "client",
  level: "connection",
  run: (random, size) => new ClientWorld(random, size).run(),
};

class ClientWorld implements Network {
  readonly #random: SeededRandom;
  readonly #steps = new StepLimit(STEPS_LIMIT);
  readonly #clock = new WatchedClock(this.#steps);
  readonly #log = new AuditedLog();
  readonly #disk: GuardedDisk;
  readonly #budget: ByteBudget;
  readonly #roomy: boolean;
  readonly #maxClients: number;
  readonly #listener: Listener;
  readonly #malicious: MaliciousClient[] = [];
  readonly #honest: HonestClient[] = [];
  readonly #streams: FuzzStream[] = [];
  readonly #heldBefore = POOL.heldBytes;
  #accept: ((stream: ByteStream) => void) | undefined;
  readonly #findings = new Findings();

  constructor(random: SeededRandom, size: number) {
    this.#random = random;
    this.#disk = new GuardedDisk(random, this.#steps, "disk");
    this.#roomy = random.chance(0.6);
    this.#budget = this.#roomy
      ? new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests)
      : new ByteBudget(random.pick([1000, 70_000]), random.pick([1, 5]));
    this.#maxClients = random.pick([1, 1, 2, 8]);
    const greetingStyle = random.pick<GreetingStyle>(["auto", "newstyle", "newstyle", "oldstyle"]);
    const found = this.#findings.add;
    for (let count = 1 + random.integer(3); count > 0; count -= 1) {
      this.#malicious.push(new MaliciousClient(random, size, greetingStyle === "oldstyle", found));
    }
    for (let count = 1 + random.integer(2); count > 0; count -= 1) {
      this.#honest.push(new HonestClient(random, FIELD, found));
    }
    this.#listener = new Listener({
      network: this,
      endpoint: { kind: "unix", path: "/fuzz" },
      socketMode: 0o600,
      admits: () => true,
      maxClients: this.#maxClients,
      exports: {
        list: () => Promise.resolve([{ name: "disk", description: "" }]),
        open: (name) => Promise.resolve(name === "" || name === "disk" ? this.#disk : undefined),
      },
      greetingStyle,
      pool: POOL,
      budget: this.#budget,
      clock: this.#clock,
      log: this.#log,
    });
  }

  dial(): { abort(): void } {
    throw new Error("a listener dials nobody");
  }

  listen({ endpoint }: ListenOptions, accept: (stream: ByteStream) => void): Promise<Listening> {
    this.#accept = accept;
    return Promise.resolve({ endpoint, close: () => Promise.resolve() });
  }

  async run(): Promise<void> {
    await this.#listener.open();
    await this.#mingle();
    await this.#quiesce();
    // A begun payload may hold a small budget until its deadline.
    const everybodyHasAPlace = this.#roomy && this.#maxClients >= this.#malicious.length + this.#honest.length;
    if (everybodyHasAPlace) this.#expectHonestSatisfied("beside clients that don't read");
    for (const client of this.#malicious) client.finish();
    await this.#quiesce();
    if (everybodyHasAPlace) this.#expectHonestSatisfied("beside hostile clients");
    await this.#outlast();
    this.#expectHonestSatisfied("after hostile clients");
    for (const client of this.#malicious) client.judgeFarewell();
    this.#check();
    await this.#serveNext();
    await this.#end();
  }

  /** Everybody comes, and does something, in any order. */
  async #mingle(): Promise<void> {
    const random = this.#random;
    const arriving = [...this.#malicious, ...this.#honest];
    for (let turns = 10 + random.integer(30); turns > 0 || arriving.length > 0; turns -= 1) {
      if (arriving.length > 0 && random.chance(0.3)) {
        const [client] = arriving.splice(random.integer(arriving.length), 1);
        if (client !== undefined) this.#arrive(client);
      }
      random.pick(this.#malicious).act();
      for (const stream of this.#streams) stream.deliver(random.chance(0.5));
      if (random.chance(0.3)) this.#disk.completeOne();
      if (random.chance(0.5)) await settle();
      // Together less than what an honest client that is not read at once may take.
      if (random.chance(0.05)) this.#clock.advance(random.integer(200));
    }
  }

  #arrive(client: MaliciousClient | HonestClient): void {
    const stream = new FuzzStream(this.#random, this.#steps, client);
    this.#streams.push(stream);
    client.connect(stream);
    this.#accept?.(stream);
  }

  /** Lets everything happen that happens without time and without another word. */
  async #quiesce(): Promise<void> {
    for (;;) {
      await settle();
      this.#check();
      let moved = false;
      for (const stream of this.#streams) moved = stream.deliver(true) || moved;
      if (!moved && !this.#disk.completeOne()) return;
    }
  }

  /** Hostile clients are hung up on in time where they must be; the others may stay, until they go by themselves. */
  async #outlast(): Promise<void> {
    for (let rounds = this.#malicious.length + 1; rounds > 0; rounds -= 1) {
      const greeted = this.#malicious.filter((client) => client.judge().greeted);
      await this.#pass(LIMITS.handshakeMs + 1, () => false);
      for (const client of greeted) {
        expectThat(client.gone || client.judge().transmission, "a handshake outlived its deadline");
      }
      const late = this.#malicious.filter((client) => client.heardOut && client.judge().midMessage);
      await this.#pass(MESSAGE_PATIENCE_MS, () => late.every((client) => client.gone));
      for (const client of late) expectThat(client.gone, "a message outlived its deadline");
      for (const client of this.#malicious) if (!client.gone && client.judge().greeted) client.leave();
      await this.#quiesce();
    }
    for (const client of this.#malicious) expectThat(client.gone, "a hostile client was never let go");
  }

  /** Lets time pass, in steps in which nobody who answers at once can be late. */
  async #pass(forMs: number, enough: () => boolean): Promise<void> {
    for (let leftMs = forMs; leftMs > 0 && !enough(); leftMs -= TIME_STEP_MS) {
      this.#clock.advance(Math.min(leftMs, TIME_STEP_MS));
      await this.#quiesce();
    }
  }

  async #serveNext(): Promise<void> {
    const next = new HonestClient(this.#random, FIELD, this.#findings.add);
    this.#honest.push(next);
    this.#arrive(next);
    await this.#quiesce();
    expectThat(next.satisfied, `the next client was not served: ${next.progress}`);
  }

  async #end(): Promise<void> {
    await this.#pass(LIMITS.farewellMs + 1, () => false);
    await this.#listener.drain();
    await this.#quiesce();
    expectThat(this.#listener.clients === 0 && this.#listener.waitingClients === 0, "somebody is still there");
    for (const stream of this.#streams) expectThat(stream.gone, "a connection was left open");
    const { heldBytes, heldRequests } = this.#budget;
    expectThat(heldBytes === 0 && heldRequests === 0, `the budget holds ${heldBytes} bytes, ${heldRequests} requests`);
    expectThat(POOL.heldBytes === this.#heldBefore, `${POOL.heldBytes - this.#heldBefore} bytes of slabs are held`);
    expectThat(this.#clock.pending === 0, `${this.#clock.pending} timers are left`);
    expectThat(this.#log.warnings <= this.#malicious.length, `${this.#log.warnings} warnings`);
  }

  #expectHonestSatisfied(when: string): void {
    for (const client of this.#honest) {
      expectThat(client.satisfied, `an honest client was not served ${when}: ${client.progress}`);
    }
  }

  #check(): void {
    this.#steps.check();
    this.#findings.check();
  }
}
