import { setTimeout as delay } from "node:timers/promises";

import { SeededRandom } from "../test/simulation/seeded-random.ts";
import * as wire from "../test/simulation/wire.ts";
import { CheckedLoad } from "./checked-load.ts";
import type { FaultWindow } from "./cycle-outcome.ts";
import type { LoadPlan, StrikePlan } from "./cycle-plan.ts";
import { eventually } from "./eventually.ts";
import { NbdClient } from "./nbd-client.ts";
import { OperationMix } from "./operation-mix.ts";
import { exportNameOf } from "./server-command.ts";
import type { Stage } from "./stage.ts";
import { strike } from "./strike.ts";
import { emptyTally } from "./tally.ts";
import { within } from "./within.ts";

/** Everything that a server which is back makes possible must happen by then, on a machine that is busy. */
const PATIENCE_MS = 30_000;
/** A FLUSH may tell of a lack of space that is over. */
const FLUSHES = 5;
const FLUSH_PAUSE_MS = 300;
/** A strike that comes sooner than this after the one before is to strike into the recovery. */
const SOON_MS = 100;

type CheckerPlan = Extract<LoadPlan, { kind: "checker" }>;

/**
 * Has the faults of a cycle strike while checked clients work. In the end everything was read back, and a FLUSH was
 * acknowledged. Resolves to what clients saw that they must not, beside wrong content. Throws when it can't go on.
 */
export async function runCheckedCycle(stage: Stage, plan: CheckerPlan): Promise<string | undefined> {
  const { disk, server, proxy } = stage;
  const clients: NbdClient[] = [];
  try {
    for (let index = 0; index < plan.clients; index++) {
      const letIn = NbdClient.connect({ path: proxy.socketPath }, exportNameOf(server.name));
      clients.push(await within("a client is let in", PATIENCE_MS, letIn));
    }
    const random = new SeededRandom(stage.plan.seed).fork();
    const mixes = clients.map(({ flags }) => new OperationMix(random.fork(), plan.mix, disk.ledger.blocks, flags));
    const load = new CheckedLoad(clients, disk.ledger);
    const cycle = new CheckedCycle(stage, plan, load);
    cycle.begin(load.run(mixes, plan.depth));
    await cycle.strikeAll();
    await cycle.finish();
    return unexpectedErrors(stage);
  } finally {
    for (const client of clients) client.close();
  }
}

class CheckedCycle {
  readonly #stage: Stage;
  readonly #plan: CheckerPlan;
  readonly #load: CheckedLoad;
  #running: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(stage: Stage, plan: CheckerPlan, load: CheckedLoad) {
    this.#stage = stage;
    this.#plan = plan;
    this.#load = load;
  }

  begin(running: Promise<void>): void {
    this.#running = running.catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  async strikeAll(): Promise<void> {
    const { strikes } = this.#stage.plan;
    for (const [index, one] of strikes.entries()) {
      await delay(one.afterMs);
      this.#throwIfBroken();
      await this.#strike(one);
      if (this.#plan.readBackAfterEach) await this.#readBack();
      else if ((strikes[index + 1]?.afterMs ?? Infinity) > SOON_MS) await this.#untilProgress();
    }
    await this.#untilProgress();
  }

  async finish(): Promise<void> {
    const load = this.#load;
    load.stop();
    await this.#wait("the last answers", load.idle());
    await this.#running;
    this.#throwIfBroken();
    await this.#wait("reading back", load.readBack());
    await this.#flush();
    this.#closeWindow();
  }

  async #strike(plan: StrikePlan): Promise<void> {
    const { windows, ground, server, disk } = this.#stage;
    if (windows.length > 0) this.#closeWindow();
    const window: FaultWindow = { fault: plan.fault, unflushedBytes: 0, tally: emptyTally() };
    windows.push(window);
    const onKill = (): void => {
      window.unflushedBytes = this.#load.unflushed.bytes;
    };
    await strike(plan, { ground, server, sizeBytes: disk.sizeBytes, onKill });
  }

  #closeWindow(): void {
    const last = this.#stage.windows.at(-1);
    if (last !== undefined) last.tally = this.#load.takeTally();
  }

  async #readBack(): Promise<void> {
    const load = this.#load;
    load.pause();
    await this.#wait("an answer to everything", load.idle());
    this.#throwIfBroken();
    await this.#wait("reading back", load.readBack());
    load.resume();
  }

  /** Waits until an operation is answered that nobody had begun before. */
  async #untilProgress(): Promise<void> {
    const { answers, inFlight } = this.#load;
    await eventually("an answer after a fault", PATIENCE_MS, async () => {
      this.#throwIfBroken();
      await this.#stage.server.revive();
      return this.#load.answers > answers + inFlight;
    });
  }

  async #flush(): Promise<void> {
    for (let left = FLUSHES; ; left--) {
      const error = await this.#wait("FLUSH", this.#load.flush());
      if (error === 0) return;
      if (left === 0) throw new Error(`FLUSH was answered with error ${error} again and again`);
      await delay(FLUSH_PAUSE_MS);
    }
  }

  async #wait<Result>(what: string, promise: Promise<Result>): Promise<Result> {
    return within(what, PATIENCE_MS, promise);
  }

  #throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** A lack of space may be told as long as the cycle lasts, by a FLUSH. Everything else is to be a delay and nothing more. */
function unexpectedErrors({ windows }: Stage): string | undefined {
  let mayLackSpace = false;
  const texts: string[] = [];
  for (const { fault, tally } of windows) {
    mayLackSpace ||= fault === "enospc";
    for (const [error, count] of tally.errors) {
      if (error !== wire.ENOSPC || !mayLackSpace) texts.push(`${count} times error ${error} after ${fault}`);
    }
  }
  return texts.length === 0 ? undefined : `clients saw ${texts.join(", ")}`;
}
