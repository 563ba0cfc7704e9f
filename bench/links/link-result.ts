import { median } from "../median.ts";
import type { LinkFigures, LinkResult } from "./links-report.ts";

/** What one contender did with one pattern, summed up. Who failed in some round has no figures. */
export function linkResult(contender: string, rounds: readonly LinkFigures[], failure: string | null): LinkResult {
  const middle = (figure: keyof LinkFigures): number => median(rounds.map((round) => round[figure])) ?? 0;
  const figures =
    failure !== null || rounds.length === 0
      ? null
      : {
          readsPerSecond: middle("readsPerSecond"),
          mibPerSecond: middle("mibPerSecond"),
          fetchedPerAsked: middle("fetchedPerAsked"),
          slowestShare: middle("slowestShare"),
        };
  return { contender, rounds, figures, failure };
}

/**
 * How many times as much one contender reads as another: the median of the rounds' own ratios, since only what was measured
 * beside each other compares. Undefined when one of them has no figures.
 */
export function timesAsMuch(one: LinkResult | undefined, other: LinkResult | undefined): number | undefined {
  if (one === undefined || other === undefined || one.figures === null || other.figures === null) return undefined;
  return median(
    one.rounds.flatMap(({ mibPerSecond }, round) => {
      const beside = other.rounds[round];
      return beside === undefined ? [] : [mibPerSecond / beside.mibPerSecond];
    }),
  );
}
