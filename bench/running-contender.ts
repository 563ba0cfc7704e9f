import { setTimeout as delay } from "node:timers/promises";

import type { Contender } from "./contender.ts";
import { crowdArguments } from "./fio-arguments.ts";
import { busyShare, machineTime } from "./machine-time.ts";
import type { Measurement } from "./measurement.ts";
import { uriOf } from "./memory-server.ts";
import type { ProcessGroup, ProcessGroups } from "./process-groups.ts";
import { mainThreadSeconds, usageOfGroup } from "./process-usage.ts";
import { runFio } from "./run-fio.ts";
import { startProxy } from "./started-proxy.ts";
import type { StartedProxy } from "./started-proxy.ts";
import type { Workload } from "./workload.ts";

/** How much longer than asked fio may take: to connect, and to wait for what is in flight. */
const GRACE_MS = 30_000;
/** A process forked for one connection takes its peak with it when it ends: look while it runs. */
const MEMORY_POLL_MS = 250;

/** A contender that stands in front of its server. */
export class RunningContender {
  readonly #groups: ProcessGroups;
  /** Its own; none when nothing stands in between. */
  readonly #own: readonly ProcessGroup[];
  readonly #uris: readonly string[];

  private constructor(groups: ProcessGroups, own: readonly ProcessGroup[], ports: readonly number[]) {
    this.#groups = groups;
    this.#own = own;
    this.#uris = ports.map(uriOf);
  }

  /** Starts it and waits until it listens. */
  static async start(groups: ProcessGroups, contender: Contender, serverPort: number): Promise<RunningContender> {
    if (contender.command === undefined) return new RunningContender(groups, [], [serverPort]);
    const started: StartedProxy[] = [];
    while (started.length < (contender.processes ?? 1)) {
      started.push(await startProxy(groups, contender.command, serverPort));
    }
    return new RunningContender(
      groups,
      started.map(({ group }) => group),
      started.map(({ port }) => port),
    );
  }

  /** Repeats a workload through it for so long. Throws when that fails. */
  async measure(workload: Workload, seconds: number): Promise<Measurement> {
    const args = crowdArguments(workload, this.#uris, seconds);
    const timeBefore = machineTime();
    const before = await usageOf(this.#own);
    const watch = watchPeakMemory(this.#own);
    try {
      const result = await runFio(this.#groups, args, seconds * 1000 + GRACE_MS);
      const after = await usageOf(this.#own);
      const machineShare = busyShare(timeBefore, machineTime());
      const peakMemoryKib = Math.max(after.peakMemoryKib, await watch.stop());
      if (this.#own.length === 0) {
        const none = { cpuUsPerOperation: null, peakMemoryKib: null, busyProcessors: null, mainThreadShare: null };
        return { ...result, ...none, machineShare };
      }
      const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
      const mainThreads = after.mainThreads.map((afterwards, i) => afterwards - (before.mainThreads[i] ?? 0));
      // While it was measured: around that fio starts and ends, and the contender does next to nothing.
      const measuredSeconds = result.operations / result.operationsPerSecond;
      return {
        ...result,
        cpuUsPerOperation: (cpuSeconds * 1e6) / result.operations,
        peakMemoryKib,
        busyProcessors: cpuSeconds / measuredSeconds,
        mainThreadShare: Math.max(...mainThreads) / measuredSeconds,
        machineShare,
      };
    } catch (error) {
      const said = this.#own
        .map(({ stderr }) => stderr.trim())
        .join("\n")
        .trim();
      throw said === "" ? error : new Error(`${String(error)}; it said: ${said}`, { cause: error });
    } finally {
      await watch.stop();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#own.map((group) => group.end()));
  }
}

/** What some groups have used together, and the main thread of each. */
async function usageOf(groups: readonly ProcessGroup[]): Promise<{
  cpuSeconds: number;
  peakMemoryKib: number;
  mainThreads: number[];
}> {
  const all = await Promise.all(groups.map(({ id }) => usageOfGroup(id)));
  return {
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakMemoryKib: all.reduce((sum, { peakMemoryKib }) => sum + peakMemoryKib, 0),
    mainThreads: await Promise.all(groups.map(({ id }) => mainThreadSeconds(id))),
  };
}

/** Looks at the memory of some groups again and again until it is stopped; that resolves to the most that was seen. */
function watchPeakMemory(groups: readonly ProcessGroup[]): { stop(): Promise<number> } {
  const abort = new AbortController();
  const watch = async (): Promise<number> => {
    let peakKib = 0;
    while (groups.length > 0 && !abort.signal.aborted) {
      peakKib = Math.max(peakKib, (await usageOf(groups)).peakMemoryKib);
      await delay(MEMORY_POLL_MS, undefined, { signal: abort.signal }).catch(() => undefined);
    }
    return peakKib;
  };
  const watching = watch();
  return {
    stop: () => {
      abort.abort();
      return watching;
    },
  };
}
