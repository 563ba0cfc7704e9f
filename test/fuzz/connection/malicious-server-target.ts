import { PROTECTION_DEFAULTS } from "../../../src/config/protection-config.ts";
import type { DiskHandle } from "../../../src/disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import type { DialOutcome, DialTarget, Listening, Network } from "../../../src/ports/network.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import type { UpstreamPath } from "../../../src/upstream/connector.ts";
import { ResilientDisk } from "../../../src/upstream/resilient-disk.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { settle } from "../../unit/support/settle.ts";
import { checkGeometry } from "../parser/check-geometry.ts";
import { AuditedLog } from "../support/audited-log.ts";
import { checkError } from "../support/check-text.ts";
import { FuzzStream } from "../support/fuzz-stream.ts";
import { expectThat, Findings, type FuzzTarget } from "../support/fuzz-target.ts";
import { PATTERN_BYTES } from "../support/pattern.ts";
import { StepLimit } from "../support/step-limit.ts";
import { WatchedClock } from "../support/watched-clock.ts";
import type { OfferedExport } from "../transcript/server-messages.ts";
import type { Answer } from "./reply-witness.ts";
import { Victim } from "./victim.ts";
import type { WireRequest } from "./wire-parser.ts";
import { type Intent, type ServerOwner, WireServer } from "./wire-server.ts";

/** Small slabs, so that they fill up; they live on from input to input and are poisoned when they come home. */
const POOL = new SlabPool({ slabBytes: 80 * 1024, idleSlabs: LIMITS.idleSlabs, poison: true });

const STEPS_LIMIT = 200_000;
/** No two tries in an outage are closer than this, but for the first. */
const RETRY_MS = LIMITS.retryMs * (1 - LIMITS.retryJitter) - 1;
const ALL_FLAGS = 0x46d;
const EIO = 5;
const ESHUTDOWN = 108;

/** Hostile servers behind a real resilient disk with requests in flight, and in the end an honest one. */
export const maliciousServerTarget: FuzzTarget = {
  name: "malicious-server",
  role: "server",
  level: "connection",
  run: (random, size) => new ServerWorld(random, size).run(),
};

class ServerWorld implements Network, ServerOwner {
  readonly #random: SeededRandom;
  readonly #size: number;
  readonly #steps = new StepLimit(STEPS_LIMIT);
  readonly #clock = new WatchedClock(this.#steps);
  readonly #disk: ResilientDisk;
  readonly #streams: FuzzStream[] = [];
  readonly #servers: WireServer[] = [];
  readonly #answers: Answer[] = [];
  /** Every connection is closed as soon as it is made. */
  readonly #slams: boolean;
  /** Time passes so fast that silence is the rule. */
  readonly #slow: boolean;
  readonly requests: WireRequest[] = [];
  sizeBytes: number | undefined;
  readonly #heldBefore = POOL.heldBytes;
  readonly #mayGiveUp: boolean;
  #offered: OfferedExport;
  #stage: "first" | "hostile" | "honest" = "first";
  #dials = 0;
  readonly #findings = new Findings();

  constructor(random: SeededRandom, size: number) {
    this.#random = random;
    this.#size = size;
    this.#mayGiveUp = random.chance(0.15);
    this.#slams = random.chance(0.1);
    this.#slow = random.chance(0.2);
    this.#offered = {
      sizeBytes: PATTERN_BYTES,
      flags: random.pick([ALL_FLAGS, ALL_FLAGS, 1, 5, 3]),
      blocks: random.pick([undefined, [1, 4096, 1 << 25], [512, 4096, 65_536]]),
      structured: false,
      contexts: [],
    };
    const path: UpstreamPath = { endpoint: { kind: "unix", path: "/fuzz" }, bindAddress: undefined, exportName: "" };
    this.#disk = new ResilientDisk({
      paths: random.chance(0.3) ? [path, path] : [path],
      network: this,
      clock: this.#clock,
      ...PROTECTION_DEFAULTS,
      pool: POOL,
      budget: new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests),
      unflushed: random.pick(["log", "log", "fua", "off"]),
      random,
      log: new AuditedLog(),
      holdTimeoutMs: this.#mayGiveUp ? 20_000 : undefined,
      upstreamTimeoutMs: 30_000,
      idlePingMs: random.chance(0.2) ? 5_000 : undefined,
      reconnectIntervalMaxMs: 5_000,
    });
  }

  listen(): Promise<Listening> {
    throw new Error("a disk does not listen");
  }

  dial(_target: DialTarget, outcome: DialOutcome): { abort(): void } {
    this.#steps.step();
    this.#dials += 1;
    let aborted = false;
    queueMicrotask(() => {
      if (!aborted) this.#answerDial(outcome);
    });
    return { abort: () => (aborted = true) };
  }

  answered(answer: Answer): void {
    this.#answers.push(answer);
  }

  found(error: unknown): void {
    this.#findings.add(error);
  }

  async run(): Promise<void> {
    if (!(await this.#open())) {
      await this.#end();
      return;
    }
    const { geometry } = this.#disk;
    checkGeometry(geometry);
    const { minimumBlockBytes, preferredBlockBytes, maximumPayloadBytes, sizeBytes, flags } = geometry;
    const blocks = [minimumBlockBytes, preferredBlockBytes, maximumPayloadBytes] as const;
    this.#offered = { sizeBytes, flags: flags | 1, blocks, structured: false, contexts: [] };
    this.sizeBytes = sizeBytes;
    this.#stage = "hostile";
    const found = (error: unknown): void => this.found(error);
    const victim = new Victim(this.#random, geometry, this.#answers, found);
    if (this.#mayGiveUp) victim.excuses = new Set([EIO]);
    victim.mayFail = () => this.#disk.status.failed || this.#disk.status.poisonedRequests > 0;
    const handle = this.#disk.attach({ onReset: () => undefined });
    await this.#struggle(victim, handle);
    if (this.#random.chance(0.1)) await this.#closeAmidst(victim);
    else await this.#recover(victim, handle);
    await this.#end();
  }

  async #open(): Promise<boolean> {
    const opening: { done: boolean; error: unknown } = { done: false, error: undefined };
    const opened = this.#disk.open().catch((error: unknown) => (opening.error = error));
    void opened.then(() => (opening.done = true));
    for (let seconds = 0; seconds < 40 && !opening.done; seconds += 1) {
      await this.#quiesce();
      if (!opening.done) this.#clock.advance(1000);
    }
    expectThat(opening.done, "neither open nor failed");
    if (opening.error === undefined) return true;
    checkError(opening.error, ["ProtocolViolation", "HandshakeRefused", "ConnectionLost", "Refused"]);
    return false;
  }

  /** Requests go in while servers do what they like. */
  async #struggle(victim: Victim, handle: DiskHandle): Promise<void> {
    const random = this.#random;
    for (let turns = 10 + random.integer(40); turns > 0; turns -= 1) {
      if (random.chance(0.5)) victim.ask(handle);
      for (const server of this.#servers) server.act();
      for (const stream of this.#streams) stream.deliver(random.chance(0.5));
      if (random.chance(0.6)) await settle();
      this.#check(victim);
      if (this.#slams) this.#clock.advance(0);
      if (this.#slow && random.chance(0.3)) this.#clock.advance(random.pick([5_000, 11_000, 31_000]));
      if (random.chance(0.15)) this.#clock.advance(random.pick([0, 1, 100, 150, 2000, 11_000, 31_000]));
    }
  }

  /** The hostile servers die or fall silent, an honest one takes their place: everything is answered. */
  async #recover(victim: Victim, handle: DiskHandle): Promise<void> {
    this.#stage = "honest";
    const dies = this.#random.chance(0.7);
    for (const server of this.#servers) {
      if (dies) server.die();
      else server.fallSilent();
    }
    for (let count = this.#random.integer(4); count > 0; count -= 1) victim.ask(handle);
    for (let seconds = 0; seconds < 240 && victim.unanswered > 0; seconds += 1) {
      this.#clock.advance(1000);
      await this.#quiesce();
      this.#check(victim);
    }
    expectThat(victim.unanswered === 0, `${victim.unanswered} requests are not answered by an honest server`);
    // What was begun long ago and comes now was answered by another one meanwhile.
    for (const server of this.#servers) server.finishReply();
    await this.#quiesce();
    this.#check(victim);
    await this.#close(victim);
  }

  async #closeAmidst(victim: Victim): Promise<void> {
    await this.#close(victim);
    expectThat(victim.unanswered === 0, `${victim.unanswered} requests outlived the disk`);
  }

  async #close(victim: Victim): Promise<void> {
    victim.excuses = new Set([EIO, ESHUTDOWN]);
    const closing = { done: false };
    void this.#disk.close().then(() => (closing.done = true));
    for (let seconds = 0; seconds < 240 && !closing.done; seconds += 1) {
      await this.#quiesce();
      this.#check(victim);
      this.#clock.advance(1000);
    }
    expectThat(closing.done, "the disk does not close");
  }

  async #end(): Promise<void> {
    for (let seconds = 0; seconds < 12; seconds += 1) {
      await this.#quiesce();
      this.#clock.advance(1000);
    }
    await this.#quiesce();
    this.#steps.check();
    for (const stream of this.#streams) expectThat(stream.gone, "a connection was left open");
    expectThat(POOL.heldBytes === this.#heldBefore, `${POOL.heldBytes - this.#heldBefore} bytes of slabs are held`);
    expectThat(this.#clock.pending === 0, `${this.#clock.pending} timers are left`);
    this.#findings.check();
  }

  async #quiesce(): Promise<void> {
    for (let moved = true; moved;) {
      await settle();
      this.#steps.check();
      moved = false;
      for (const stream of this.#streams) moved = stream.deliver(true) || moved;
    }
  }

  #answerDial(outcome: DialOutcome): void {
    const random = this.#random;
    const choice = this.#stage === "honest" ? 1 : random.next();
    if (choice < 0.05) return;
    if (choice < 0.15) {
      outcome.failed(Object.assign(new Error("connect ECONNREFUSED"), { name: "Refused" }));
      return;
    }
    const server = new WireServer(random, this.#size, this.#intent(), this.#offered, this);
    const stream = new FuzzStream(random, this.#steps, server);
    this.#servers.push(server);
    this.#streams.push(stream);
    server.connect(stream);
    outcome.connected(stream);
  }

  #intent(): Intent {
    if (this.#stage === "honest") return "honest";
    if (this.#stage === "hostile" && this.#slams) return "slams the door";
    return this.#random.chance(this.#stage === "first" ? 0.2 : 0.4) ? "hostile from the hello on" : "hostile";
  }

  #check(victim: Victim): void {
    this.#steps.check();
    this.#findings.check();
    const allowed = 6 + victim.completed + this.#clock.nowMs() / RETRY_MS;
    expectThat(this.#dials <= allowed, `${this.#dials} dials in ${this.#clock.nowMs()} ms`);
  }
}
