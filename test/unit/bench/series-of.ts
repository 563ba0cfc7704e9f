import type { Role } from "../../../bench/contender.ts";
import type { Series } from "../../../bench/series.ts";

/** A series with these speeds, a round each, and made-up other figures. */
export function seriesOf(name: string, role: Role, speeds: readonly number[]): Series {
  const between = role !== "direct";
  const rounds = speeds.map((operationsPerSecond) => ({
    operations: operationsPerSecond * 2,
    operationsPerSecond,
    p50Us: 10,
    p99Us: 100,
    cpuUsPerOperation: between ? 20 : null,
    peakMemoryKib: between ? 2048 : null,
    busyProcessors: between ? 1 : null,
    mainThreadShare: between ? 0.5 : null,
    machineShare: 0.75,
  }));
  return { contender: { name, role }, rounds, failure: undefined };
}
