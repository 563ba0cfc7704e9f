import { cell } from "../cell.ts";
import type { Chart } from "../chart.ts";
import { textTable } from "../text-table.ts";

/** A chart of lines as a table: a line per series, a column per category. */
export function scaleOverview({ categories, series }: Chart): string {
  return textTable([
    ["op/s in all", ...categories],
    ...series.map(({ name, values }) => [name, ...values.map((value) => cell(value, 0))]),
  ]);
}
