import type { Contender } from "./contender.ts";
import type { Figure } from "./figure.ts";
import { medianOf, p99, ratio, speed } from "./figure.ts";
import { median } from "./median.ts";
import type { Measurement } from "./measurement.ts";
import type { Series } from "./series.ts";

/**
 * One contender's figures over all rounds: medians, and ratios to others. A ratio is the median of each round's own,
 * since the machine's speed drifts between rounds more than within one. Null where there is nothing to tell.
 */
export interface Summary {
  readonly name: string;
  readonly operationsPerSecond: number;
  readonly operationsPerSecondMin: number;
  readonly operationsPerSecondMax: number;
  readonly ratioToDirect: number | null;
  /** To the fastest of the resilient ones. */
  readonly ratioToBestPeer: number | null;
  readonly ratioToPipe: number | null;
  readonly p50Us: number;
  readonly p99Us: number;
  /** To the resilient one with the lowest. */
  readonly p99RatioToBestPeer: number | null;
  readonly p99RatioToPipe: number | null;
  readonly cpuUsPerOperation: number | null;
  /** The highest of all rounds. */
  readonly peakMemoryKib: number | null;
  readonly busyProcessors: number | null;
  readonly mainThreadShare: number | null;
  readonly machineShare: number;
}

/** Sums up one workload: for each contender that was measured at all, in the order given. */
export function summarize(all: readonly Series[]): Summary[] {
  const measured = all.filter(({ rounds }) => rounds.length > 0);
  const withRole = (role: Contender["role"]): Series[] => measured.filter(({ contender }) => contender.role === role);
  const byMedian = (figure: Figure) => (a: Series, b: Series) => medianOf(a, figure) - medianOf(b, figure);
  const [direct] = withRole("direct");
  const [pipe] = withRole("pipe");
  const fastest = withRole("resilient").sort(byMedian(speed)).at(-1);
  const [quickest] = withRole("resilient").sort(byMedian(p99));
  return measured.map((series) => {
    const speeds = series.rounds.map(speed);
    const medianIfAny = (figure: (round: Measurement) => number | null): number | null =>
      median(series.rounds.flatMap((round) => figure(round) ?? [])) ?? null;
    const memory = series.rounds.flatMap(({ peakMemoryKib }) => peakMemoryKib ?? []);
    return {
      name: series.contender.name,
      operationsPerSecond: medianOf(series, speed),
      operationsPerSecondMin: Math.min(...speeds),
      operationsPerSecondMax: Math.max(...speeds),
      ratioToDirect: ratio(series, direct, speed),
      ratioToBestPeer: ratio(series, fastest, speed),
      ratioToPipe: ratio(series, pipe, speed),
      p50Us: medianOf(series, (round) => round.p50Us),
      p99Us: medianOf(series, p99),
      p99RatioToBestPeer: ratio(series, quickest, p99),
      p99RatioToPipe: ratio(series, pipe, p99),
      cpuUsPerOperation: medianIfAny(({ cpuUsPerOperation }) => cpuUsPerOperation),
      peakMemoryKib: memory.length === 0 ? null : Math.max(...memory),
      busyProcessors: medianIfAny(({ busyProcessors }) => busyProcessors),
      mainThreadShare: medianIfAny(({ mainThreadShare }) => mainThreadShare),
      machineShare: medianOf(series, ({ machineShare }) => machineShare),
    };
  });
}
