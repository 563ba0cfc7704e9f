import { textTable } from "../text-table.ts";
import { WITHOUT_CACHE } from "./link-contenders.ts";
import type { LinkFigures, LinkReport, LinkRow } from "./links-report.ts";

/** What was measured over one link, as text: one table for each kind of figure, with a line for each pattern. */
export function linkTables({ rows }: LinkReport): string {
  const several = rows.filter(({ results }) => results.some(({ figures }) => (figures?.slowestShare ?? 1) !== 1));
  const tables = [
    table("MiB/s", rows, ({ mibPerSecond }) => mibPerSecond.toFixed(2)),
    table(`by ${WITHOUT_CACHE}`, rows, ({ mibPerSecond }, without) => {
      return without === undefined ? "-" : (mibPerSecond / without.mibPerSecond).toFixed(2);
    }),
    table("fetched", rows, ({ fetchedPerAsked }) => fetchedPerAsked.toFixed(3)),
    ...(several.length > 0 ? [table("slowest", several, ({ slowestShare }) => slowestShare.toFixed(2))] : []),
  ];
  const failures = rows.flatMap(({ pattern, results }) =>
    results.flatMap(({ contender, failure }) => (failure === null ? [] : [`${pattern}, ${contender}: ${failure}\n`])),
  );
  return [...tables, failures.join("")].filter((text) => text !== "").join("\n");
}

/** The figures of the contender that the others are compared with. */
export function figuresWithoutCache({ results }: LinkRow): LinkFigures | undefined {
  return results.find(({ contender }) => contender === WITHOUT_CACHE)?.figures ?? undefined;
}

function table(
  title: string,
  rows: readonly LinkRow[],
  show: (figures: LinkFigures, without: LinkFigures | undefined) => string,
): string {
  const names = rows[0]?.results.map(({ contender }) => contender) ?? [];
  const lines = rows.map((row) => {
    const cells = row.results.map(({ figures }) => (figures === null ? "-" : show(figures, figuresWithoutCache(row))));
    return [row.pattern, ...cells];
  });
  return textTable([[title, ...names], ...lines]);
}
