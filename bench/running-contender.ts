import type { Contender } from "./contender.ts";
import { crowdArguments } from "./fio-arguments.ts";
import type { Measurement } from "./measurement.ts";
import { uriOf } from "./memory-server.ts";
import type { ProcessGroup, ProcessGroups } from "./process-groups.ts";
import { mainThreadSeconds, usageOfGroups } from "./process-usage.ts";
import { runFio } from "./run-fio.ts";
import { startProxy } from "./started-proxy.ts";
import type { StartedProxy } from "./started-proxy.ts";
import { watchUsage } from "./usage-watch.ts";
import type { Workload } from "./workload.ts";

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
    const before = usageOfGroups(this.#own);
    const mainThreadsBefore = this.#mainThreadSeconds();
    const watch = watchUsage(this.#own);
    try {
      const result = await runFio(this.#groups, args, seconds);
      const after = usageOfGroups(this.#own);
      const mainThreads = this.#mainThreadSeconds();
      const { peakMemoryKib, machineShare } = await watch.stop();
      if (this.#own.length === 0) {
        const none = { cpuUsPerOperation: null, peakMemoryKib: null, busyProcessors: null, mainThreadShare: null };
        return { ...result, ...none, machineShare };
      }
      const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
      const busiest = Math.max(...mainThreads.map((now, i) => now - (mainThreadsBefore[i] ?? 0)));
      // While it was measured: before and after that the contender does next to nothing.
      const measuredSeconds = result.operations / result.operationsPerSecond;
      return {
        ...result,
        cpuUsPerOperation: (cpuSeconds * 1e6) / result.operations,
        peakMemoryKib: Math.max(after.peakMemoryKib, peakMemoryKib),
        busyProcessors: cpuSeconds / measuredSeconds,
        mainThreadShare: busiest / measuredSeconds,
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

  #mainThreadSeconds(): number[] {
    return this.#own.map(({ id }) => mainThreadSeconds(id));
  }
}
