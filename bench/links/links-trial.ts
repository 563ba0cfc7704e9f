import assert from "node:assert";

import type { Chart } from "../chart.ts";
import type { Trial, TrialContext } from "../trial.ts";
import { linkContenders } from "./link-contenders.ts";
import { timesAsMuch } from "./link-result.ts";
import { linkTables, withoutCache } from "./link-tables.ts";
import { LINKS } from "./link.ts";
import type { Link } from "./link.ts";
import type { LinkReport, LinksReport } from "./links-report.ts";
import { measureLink } from "./measure-link.ts";
import { READ_PATTERNS } from "./read-pattern.ts";
import type { ReadPattern } from "./read-pattern.ts";

/** Of the time that was asked for: there are many patterns, and most of it is waiting. */
const SECONDS_PART = 1 / 5;
/** But a reader must be recognised first, and trusted step by step with more, which takes some 75 ms over a link with delay. */
const LEAST_SECONDS = 0.5;

/** The trial of read-ahead over slow links. */
export const LINKS_TRIAL: Trial = {
  name: "links",
  about: "What does read-ahead gain over slow links, and what does it cost where it gains nothing?",
  workloads: LINKS.flatMap((link) => READ_PATTERNS.map((pattern) => workloadName(link, pattern))),
  run: runLinks,
};

async function runLinks({ options, groups, display, main, nodes, workloads }: TrialContext): Promise<LinksReport> {
  const [node] = nodes;
  assert(node !== undefined, "there is a node to run under");
  const contenders = linkContenders(main, node, options.build);
  const seconds = Math.max(LEAST_SECONDS, options.seconds * SECONDS_PART);
  const links: LinkReport[] = [];
  for (const link of LINKS) {
    const patterns = READ_PATTERNS.filter((pattern) => workloads.includes(workloadName(link, pattern)));
    if (patterns.length === 0) continue;
    const plan = { link, patterns, contenders, rounds: options.rounds, seconds, warmupSeconds: options.warmup };
    const report = { link, rows: await measureLink(groups, plan, (text) => display.progress(text)) };
    display.result(`\n${link.name}\n${linkTables(report)}`);
    links.push(report);
  }
  const failed = links.some(({ rows }) => rows.some(({ results }) => results.some(({ failure }) => failure !== null)));
  return { failed, links, charts: links.map(chartOf) };
}

function workloadName(link: Link, pattern: ReadPattern): string {
  return `${link.name} ${pattern.name}`;
}

function chartOf({ link, rows }: LinkReport): Chart {
  const contenders = rows[0]?.results.map(({ contender }) => contender) ?? [];
  return {
    name: link.name,
    title: `Reads over the link ${link.name}`,
    kind: "bars",
    unit: "times the throughput without a cache",
    categories: rows.map(({ pattern }) => pattern),
    series: contenders.map((name, i) => ({
      name,
      values: rows.map((row) => timesAsMuch(row.results[i], withoutCache(row)) ?? null),
    })),
  };
}
