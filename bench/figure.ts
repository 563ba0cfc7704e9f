import { median } from "./median.ts";
import type { Measurement } from "./measurement.ts";
import type { Series } from "./series.ts";

/** One of the figures that a round has. */
export type Figure = (round: Measurement) => number;

/** Requests per second. */
export const speed: Figure = (round) => round.operationsPerSecond;

/** The latency that one request of a hundred exceeds. */
export const p99: Figure = (round) => round.p99Us;

/** The median of a figure over all rounds; NaN when there was none. */
export function medianOf(series: Series, figure: Figure): number {
  return median(series.rounds.map(figure)) ?? Number.NaN;
}

/**
 * The median of each round's own ratio, since the machine's speed drifts between rounds more than within one. Null when
 * there is no base, or no round that both have.
 */
export function ratio(series: Series, base: Series | undefined, figure: Figure): number | null {
  const ofEachRound = series.rounds.flatMap((round, i) => {
    const other = base?.rounds[i];
    return other === undefined ? [] : [figure(round) / figure(other)];
  });
  return median(ofEachRound) ?? null;
}
