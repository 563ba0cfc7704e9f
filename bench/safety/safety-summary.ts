import { ratio, speed } from "../figure.ts";
import type { Series } from "../series.ts";
import { summarize } from "../summary.ts";
import type { Summary } from "../summary.ts";
import type { SafetyContender } from "./safety-contenders.ts";

/** One contender's figures over all rounds, and what it is as a multiple of the defaults. */
export interface SafetySummary extends Summary {
  /** Of direct with simple replies: to direct with structured ones. */
  readonly ratioToBase: number | null;
}

/** Sums up one workload: for each contender that was measured at all, in the order given. */
export function safetySummaries(
  all: readonly Series[],
  contenders: readonly Pick<SafetyContender, "name" | "base">[],
): SafetySummary[] {
  const seriesOf = (name: string | undefined): Series | undefined => all.find((one) => one.contender.name === name);
  return summarize(all).map((summary) => {
    const series = seriesOf(summary.name);
    const base = seriesOf(contenders.find(({ name }) => name === summary.name)?.base);
    return { ...summary, ratioToBase: series === undefined ? null : ratio(series, base, speed) };
  });
}
