import { HARD_WORLDS } from "./hard-worlds.ts";
import { historyText } from "./history-text.ts";
import { MUTATIONS } from "./mutations.ts";
import { type HistoryOptions, runHistory } from "./run-history.ts";

/** Which histories to run. Seeds count up from the first one. */
export interface Campaign {
  readonly firstSeed: number;
  /** Ends it, whichever comes first. */
  readonly histories?: number;
  readonly durationMs?: number;
  /** The name of the control to run instead of the real thing. */
  readonly mutation?: string | undefined;
  /** The name of the hard world that all of them are to be in. */
  readonly world?: string | undefined;
  /** How many failing histories end it. */
  readonly enough?: number;
}

/** One seed whose history went wrong, and everything there is to say about it. */
export interface Failure {
  readonly seed: number;
  readonly what: string;
  readonly text: string;
}

/** What a campaign saw. */
export interface CampaignReport {
  readonly histories: number;
  readonly operations: number;
  readonly faults: number;
  readonly connections: number;
  readonly turns: number;
  readonly failures: readonly Failure[];
  readonly tookMs: number;
}

/** Runs one history after the other; failing ones once more, to write down what happened. */
export async function simulate(campaign: Campaign): Promise<CampaignReport> {
  const { firstSeed, histories = Infinity, durationMs = Infinity, mutation, world, enough = 1 } = campaign;
  const control = mutation === undefined ? undefined : MUTATIONS[mutation];
  if (mutation !== undefined && control === undefined) throw new Error(`there is no mutation "${mutation}"`);
  const adjust = world === undefined ? undefined : HARD_WORLDS[world];
  if (world !== undefined && adjust === undefined) throw new Error(`there is no world "${world}"`);
  const options = { ...(adjust === undefined ? {} : { adjust }), ...control?.options };
  const mend = control?.apply?.();
  const failures: Failure[] = [];
  const sum = { histories: 0, operations: 0, faults: 0, connections: 0, turns: 0 };
  const startMs = performance.now();
  const { stackTraceLimit } = Error;
  try {
    // Many connections end with an error that nobody looks at.
    Error.stackTraceLimit = 0;
    for (let seed = firstSeed; sum.histories < histories; seed += 1) {
      if (performance.now() - startMs >= durationMs || failures.length >= enough) break;
      const outcome = await runHistory(seed, options);
      sum.histories += 1;
      sum.operations += outcome.operations.length;
      sum.faults += outcome.faults;
      sum.connections += outcome.connections;
      sum.turns += outcome.turns;
      if (outcome.violations.length === 0) continue;
      Error.stackTraceLimit = stackTraceLimit;
      failures.push(await describe(seed, options, campaign));
      Error.stackTraceLimit = 0;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    mend?.();
  }
  return { ...sum, failures, tookMs: performance.now() - startMs };
}

async function describe(seed: number, options: HistoryOptions, { mutation, world }: Campaign): Promise<Failure> {
  const outcome = await runHistory(seed, { ...options, traced: true });
  const what =
    outcome.violations[0]?.what ?? "it went well the second time: something in it is not determined by the seed";
  const control = mutation === undefined ? "" : ` --mutation ${mutation}`;
  const place = world === undefined ? "" : ` --world ${world}`;
  const command = `node scripts/simulate.mjs --seed ${seed} --histories 1${control}${place}`;
  return { seed, what, text: `seed ${seed} fails; to see it again: ${command}\n${historyText(outcome)}` };
}

/** The figures of a campaign in one line. */
export function campaignText(report: CampaignReport): string {
  const { histories, operations, faults, connections, turns, failures, tookMs } = report;
  const perSecond = Math.round((histories * 1000) / tookMs);
  return (
    `${histories} histories, ${operations} operations, ${faults} faults, ${connections} connections to the server, ` +
    `${turns} events in ${(tookMs / 1000).toFixed(1)} s (${perSecond} histories/s): ${failures.length} failed`
  );
}
