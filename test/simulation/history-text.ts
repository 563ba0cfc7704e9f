import { changesOrReads } from "./block-history.ts";
import { UNKNOWN } from "./block-content.ts";
import type { Operation } from "./operation-history.ts";
import type { HistoryOutcome } from "./run-history.ts";

/** Lines that a reader can follow; the rest of a long history is counted. */
const LINES = 400;

/** A history that went wrong, for people: its scenario, then what happened to the first failing block, or to all. */
export function historyText({ violations, operations, events, scenario }: HistoryOutcome): string {
  const block = violations.find((violation) => violation.block !== undefined)?.block;
  const lines: { atMs: number; order: number; text: string }[] = events.map(({ atMs, text }) => ({
    atMs,
    order: 0,
    text: `-- ${text}`,
  }));
  for (const operation of operations) {
    const { startMs, endMs, start, end } = operation;
    if (!touches(operation, block)) continue;
    lines.push({ atMs: startMs, order: start, text: `${name(operation)} …` });
    if (endMs !== Infinity)
      lines.push({ atMs: endMs, order: end, text: `${name(operation)} ${answer(operation, block)}` });
  }
  lines.sort((left, right) => left.atMs - right.atMs || left.order - right.order);
  const told = lines.slice(-LINES).map(({ atMs, text }) => `${atMs.toFixed(3).padStart(10)} ${text}`);
  const left = lines.length - told.length;
  return [
    ...violations.map((one) => `VIOLATION${one.block === undefined ? "" : ` at block ${one.block}`}: ${one.what}`),
    `scenario: ${JSON.stringify(scenario)}`,
    ...(left > 0 ? [`(${left} earlier lines left out)`] : []),
    ...told,
  ].join("\n");
}

function touches(operation: Operation, wanted: number | undefined): boolean {
  return wanted === undefined || changesOrReads(operation, wanted);
}

function name({ number, client, kind, block, blocks, value }: Operation): string {
  const range = kind === "flush" ? "" : ` ${block}..${block + blocks - 1}`;
  return `${client} #${number} ${kind}${range}${kind === "write" ? ` = ${value}` : ""}`;
}

function answer({ kind, error, results, block }: Operation, wanted: number | undefined): string {
  if (error !== 0) return `→ error ${error}`;
  if (kind !== "read" && kind !== "status") return "→ done";
  const told = results.map((value) => (value === UNKNOWN ? "?" : String(value)));
  return `→ ${wanted === undefined ? told.join(" ") : told[wanted - block]}`;
}
