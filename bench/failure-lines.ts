import type { Series } from "./series.ts";

/** A line for each contender that failed, for below a table. */
export function failureLines(all: readonly Series[]): string {
  return all
    .flatMap(({ contender, failure }) => (failure === undefined ? [] : [`${contender.name} failed: ${failure}\n`]))
    .join("");
}
