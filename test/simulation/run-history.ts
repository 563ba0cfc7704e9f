import type { Log } from "../../src/ports/log.ts";
import type { Endpoint } from "../../src/ports/network.ts";
import { endpointText } from "../../src/transport/endpoint-text.ts";
import { runInTurns } from "./event-turns.ts";
import { blockHistory } from "./block-history.ts";
import { brokenWord } from "./kept-word.ts";
import { notLinearizable } from "./linearizability.ts";
import { ModelDisk } from "./model-disk.ts";
import { ModelServer } from "./model-server.ts";
import { Nemesis } from "./nemesis.ts";
import { type Operation, OperationHistory } from "./operation-history.ts";
import { AUDITOR, drawScenario, type Scenario } from "./scenario.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SimulatedClient } from "./simulated-client.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { SimulatedProxy } from "./simulated-proxy.ts";

/** What makes a history other than the usual one. */
export interface HistoryOptions {
  /** For controls: how likely the server acknowledges a write and does not carry it out. */
  readonly loseWriteChance?: number;
  /** For controls: overlapping writes at the server are not reported as such. */
  readonly blindToOverlap?: boolean;
  /** For controls: makes the trouble that they need more frequent. */
  readonly adjust?: (scenario: Scenario) => Scenario;
  /** Keeps what happened, for who reads it. */
  readonly traced?: boolean;
}

/** Something that must not happen; `block` when it happened to one. */
export interface Violation {
  readonly what: string;
  readonly block?: number;
}

/** How a history went. */
export interface HistoryOutcome {
  readonly violations: readonly Violation[];
  readonly operations: OperationHistory["operations"];
  /** What else happened: moment in virtual milliseconds and words. Empty unless traced. */
  readonly events: readonly { readonly atMs: number; readonly text: string }[];
  readonly scenario: Scenario;
  readonly faults: number;
  readonly connections: number;
  readonly turns: number;
}

const SERVER: Endpoint = { kind: "tcp", host: "server", port: 10809 };
const PROXY: Endpoint = { kind: "tcp", host: "proxy", port: 10809 };

/** More turns than any history needs, and more virtual time: it goes round in circles. */
const MANY_TURNS = 500_000;
const LONG_MS = 3_600_000;
/** How long after the last client everything must have come to rest, */
const REST_MS = 120_000;
/** and what it takes at least: unflushed writes get 5 s old before the proxy flushes them, pins and late requests less. */
const SETTLING_MS = 6000;

/** One history from its seed: the same seed and the same code give the same history. */
class History {
  readonly #violations: Violation[] = [];
  readonly #events: { atMs: number; text: string }[] = [];
  readonly #traced: boolean;
  readonly #scenario: Scenario;
  readonly #clock = new SimulatedClock();
  readonly #record = new OperationHistory(
    () => this.#clock.nowMs(),
    () => this.#checkWord(),
  );
  readonly #random: SeededRandom;
  readonly #disk: ModelDisk;
  readonly #network: SimulatedNetwork;
  readonly #server: ModelServer;
  readonly #nemesis: Nemesis;
  readonly #proxy: SimulatedProxy;
  readonly #clients: SimulatedClient[] = [];
  #turns = 0;
  #stopping = false;
  #over = false;

  constructor(seed: number, options: HistoryOptions) {
    this.#traced = options.traced ?? false;
    const random = new SeededRandom(seed);
    this.#random = random;
    const drawn = drawScenario(random.fork());
    const scenario = options.adjust?.(drawn) ?? drawn;
    this.#scenario = scenario;
    const clock = this.#clock;
    const report = (what: string): void => this.#report({ what });
    const note = (text: string): void => this.#note(text);
    this.#network = new SimulatedNetwork(clock, random.fork(), scenario.weather);
    this.#disk = new ModelDisk(scenario.blocks, scenario.blockBytes, scenario.character.losesCache);
    this.#server = new ModelServer({
      endpoint: SERVER,
      disk: this.#disk,
      network: this.#network,
      clock,
      random: random.fork(),
      character: { ...scenario.character, loseWriteChance: options.loseWriteChance ?? 0 },
      checksOverlap: options.blindToOverlap !== true,
      report,
      note,
      asked: () => this.#nemesis.ambush(),
      crashed: () => this.#checkWord(),
    });
    this.#nemesis = new Nemesis({
      scenario,
      clock,
      random: random.fork(),
      network: this.#network,
      server: this.#server,
      serverEndpoint: endpointText(SERVER),
      proxyEndpoint: endpointText(PROXY),
      note,
    });
    this.#proxy = new SimulatedProxy({
      scenario,
      network: this.#network,
      clock,
      random: random.fork(),
      log: this.#log(),
      serverEndpoint: SERVER,
      listenEndpoint: PROXY,
    });
  }

  async run(): Promise<HistoryOutcome> {
    process.setUncaughtExceptionCaptureCallback((error) => this.#thrown(error));
    try {
      this.#live().then(
        () => (this.#over = true),
        (error: unknown) => this.#thrown(error),
      );
      await runInTurns(() => this.#turn());
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    this.#judge();
    return {
      violations: this.#violations,
      operations: this.#record.operations,
      events: this.#events,
      scenario: this.#scenario,
      faults: this.#nemesis.faults,
      connections: this.#server.accepted,
      turns: this.#turns,
    };
  }

  /** One event; false when the history is over. */
  #turn(): boolean {
    if (this.#over) return false;
    this.#turns += 1;
    if (this.#turns > MANY_TURNS || this.#clock.nowMs() > LONG_MS) return this.#stuck("goes on for ever");
    try {
      return this.#clock.runNext() || this.#stuck("is stuck");
    } catch (error) {
      this.#thrown(error);
      return false;
    }
  }

  #stuck(how: string): false {
    const waiting = this.#clients.flatMap((client) => client.waitsFor ?? []);
    this.#report({ what: `it ${how}: ${waiting.length === 0 ? "no client waits" : waiting.join("; ")}` });
    this.#over = true;
    return false;
  }

  async #live(): Promise<void> {
    const { clients, stopAtMs } = this.#scenario;
    await this.#proxy.start();
    this.#nemesis.begin();
    const lives = clients.map((script) => this.#client(script).run());
    if (stopAtMs !== undefined) await this.#stopAt(stopAtMs, lives);
    else await this.#liveOn(lives);
    this.#checkMemory(0);
    await this.#sleep(REST_MS);
    const open = this.#network.connections.length;
    if (open > 0) this.#report({ what: `${open} connections are still open after the proxy was stopped` });
    const timers = this.#proxy.clock.running;
    if (timers > 0) this.#report({ what: `the proxy still has ${timers} timers running after it was stopped` });
  }

  /** The proxy is stopped while clients are at it. */
  async #stopAt(stopAtMs: number, lives: readonly Promise<void>[]): Promise<void> {
    await this.#sleep(stopAtMs);
    this.#stopping = true;
    this.#note("the proxy is stopped");
    const flushed = await this.#proxy.stop();
    await Promise.all(lives);
    if (flushed) this.#checkAllStable();
    await this.#sleep(REST_MS);
  }

  /** Clients come to their end, an auditor reads what is there, and the proxy is stopped. */
  async #liveOn(lives: readonly Promise<void>[]): Promise<void> {
    await Promise.all(lives);
    this.#nemesis.calm();
    await this.#rest();
    if (!this.#somethingMayFail) this.#record.keepPromises();
    await this.#client(AUDITOR).run();
    await this.#rest();
    // A connection that was cut before the calm may be noticed only now.
    await this.#sleep(REST_MS);
    this.#server.forgetLateBlocks();
    this.#checkAllStable();
    if (!(await this.#proxy.stop()))
      this.#report({ what: "the last FLUSH was not confirmed, though the server is well" });
    if (!this.#server.wasLeftPolitely) this.#report({ what: "the server was left without DISC" });
    this.#checkAllStable();
  }

  #client(script: Scenario["clients"][number]): SimulatedClient {
    const { blocks, blockBytes } = this.#scenario;
    const client = new SimulatedClient(
      script,
      {
        endpoint: PROXY,
        network: this.#network,
        clock: this.#clock,
        history: this.#record,
        blocks,
        blockBytes,
        contexts: this.#expectedContexts,
        mayFail: (operation) => this.#mayFail(operation),
        stopping: () => this.#stopping,
        report: (what) => this.#report({ what }),
      },
      this.#random.fork(),
    );
    this.#clients.push(client);
    return client;
  }

  /** The metadata contexts that the proxy can always offer; undefined when some come and go. */
  get #expectedContexts(): readonly string[] | undefined {
    const { structured, contexts, forgetfulChance } = this.#scenario.character;
    if (forgetfulChance > 0) return undefined;
    return structured ? contexts : [];
  }

  /** Whether the proxy may have to answer this with an error. */
  #mayFail({ kind, fua }: Operation): boolean {
    const { character, holdTimeoutMs, shared, unflushed } = this.#scenario;
    if (character.errorChance > 0 || holdTimeoutMs !== undefined) return true;
    if (kind === "read" || kind === "status") return false;
    if (shared) return true;
    // An error of a FLUSH is everybody's who was promised stable storage.
    return character.flushFailChance > 0 && (kind === "flush" || fua || unflushed === "fua");
  }

  get #somethingMayFail(): boolean {
    const { character, holdTimeoutMs, shared } = this.#scenario;
    return character.errorChance > 0 || character.flushFailChance > 0 || holdTimeoutMs !== undefined || shared;
  }

  /** Waits until the proxy holds nothing for anybody; reports when it does not come to that. */
  async #rest(): Promise<void> {
    const { budget, pool } = this.#proxy;
    const idleBytes = this.#scenario.slabBytes;
    const deadlineMs = this.#clock.nowMs() + REST_MS;
    await this.#sleep(SETTLING_MS);
    const busy = (): boolean =>
      budget.heldRequests > 0 || budget.keptBytes > 0 || this.#proxy.clients > 0 || pool.heldBytes > idleBytes;
    while (busy() && this.#clock.nowMs() < deadlineMs) await this.#sleep(500);
    if (this.#proxy.clients > 0) this.#report({ what: "clients that left still have a place" });
    // The reader of the connection to the server keeps the slab that it reads into.
    this.#checkMemory(idleBytes);
  }

  #checkMemory(idleBytes: number): void {
    const { budget, pool } = this.#proxy;
    if (pool.heldBytes > idleBytes) this.#report({ what: `${pool.heldBytes} bytes of slabs are held at rest` });
    if (budget.heldBytes > 0 || budget.heldRequests > 0) {
      this.#report({ what: `${budget.heldRequests} requests of ${budget.heldBytes} bytes are held at rest` });
    }
    if (budget.keptBytes > 0) this.#report({ what: `${budget.keptBytes} bytes of answered writes are kept at rest` });
  }

  #sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(forMs, resolve));
  }

  /** Whatever was acknowledged has been flushed by now, on the proxy's own account. */
  #checkAllStable(): void {
    if (this.#scenario.unflushed !== "off") this.#checkWord(Infinity);
  }

  /**
   * If power failed now, for the server and the proxy: compares whatever could be left with what clients were told, except in
   * blocks that a late request has changed, which only the proxy could mend.
   */
  #checkWord(flushedBefore = this.#record.flushedBefore): void {
    const { blocks, character } = this.#scenario;
    if (!character.losesCache) return;
    for (let block = 0; block < blocks; block += 1) {
      if (this.#server.lateBlocks.has(block)) continue;
      for (const value of this.#disk.possibleValues(block)) {
        const stable = { block, value, flushedBefore, tears: character.tearsBlocks };
        const why = brokenWord(this.#record.operations, stable);
        if (why !== undefined) this.#report({ what: why, block });
      }
    }
  }

  #judge(): void {
    const { blocks, character } = this.#scenario;
    const options = { mayFail: (one: Operation) => this.#mayFail(one), tears: character.tearsBlocks };
    for (let block = 0; block < blocks; block += 1) {
      const why = notLinearizable(blockHistory(this.#record.operations, block, options));
      if (why !== undefined) this.#report({ what: why, block });
    }
  }

  #thrown(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#report({ what: `the core threw: ${text}` });
    this.#over = true;
  }

  #report(violation: Violation): void {
    this.#violations.push(violation);
    this.#note(`VIOLATION: ${violation.what}`);
  }

  #note(text: string): void {
    if (this.#traced) this.#events.push({ atMs: this.#clock.nowMs(), text });
  }

  #log(): Log {
    const line = (message: string): void => this.#note(`proxy: ${message}`);
    return { debug: line, info: line, warning: line, error: line };
  }
}

/** Runs the history of a seed. */
export function runHistory(seed: number, options: HistoryOptions = {}): Promise<HistoryOutcome> {
  return new History(seed, options).run();
}
