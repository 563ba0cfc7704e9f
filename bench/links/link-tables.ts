import { textTable } from "../text-table.ts";
import { WITHOUT_CACHE } from "./link-contenders.ts";
import { timesAsMuch } from "./link-result.ts";
import type { LinkFigures, LinkReport, LinkResult, LinkRow } from "./links-report.ts";

const SPEED = shown(({ mibPerSecond }) => mibPerSecond.toFixed(2));
const FETCHED = shown(({ fetchedPerAsked }) => fetchedPerAsked.toFixed(3));
const SLOWEST = shown(({ slowestShare }) => slowestShare.toFixed(2));

/** What was measured over one link, as text: one table for each kind of figure, with a line for each pattern. */
export function linkTables({ rows }: LinkReport): string {
  const several = rows.filter(({ results }) => results.some(({ figures }) => (figures?.slowestShare ?? 1) !== 1));
  const tables = [
    table("MiB/s", rows, SPEED),
    table(`by ${WITHOUT_CACHE}`, rows, (result, without) => timesAsMuch(result, without)?.toFixed(2) ?? "-"),
    table("fetched", rows, FETCHED),
    ...(several.length > 0 ? [table("slowest", several, SLOWEST)] : []),
  ];
  const failures = rows.flatMap(({ pattern, results }) =>
    results.flatMap(({ contender, failure }) => (failure === null ? [] : [`${pattern}, ${contender}: ${failure}\n`])),
  );
  return [...tables, failures.join("")].filter((text) => text !== "").join("\n");
}

/** The contender that the others are compared with. */
export function withoutCache({ results }: LinkRow): LinkResult | undefined {
  return results.find(({ contender }) => contender === WITHOUT_CACHE);
}

function shown(show: (figures: LinkFigures) => string): (result: LinkResult) => string {
  return ({ figures }) => (figures === null ? "-" : show(figures));
}

function table(
  title: string,
  rows: readonly LinkRow[],
  show: (result: LinkResult, without: LinkResult | undefined) => string,
): string {
  const names = rows[0]?.results.map(({ contender }) => contender) ?? [];
  const lines = rows.map((row) => [row.pattern, ...row.results.map((result) => show(result, withoutCache(row)))]);
  return textTable([[title, ...names], ...lines]);
}
