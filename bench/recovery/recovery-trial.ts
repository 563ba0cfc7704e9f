import type { Contender } from "../contender.ts";
import { failureText } from "../failure-text.ts";
import { QUICK_RETRY } from "../other-contenders.ts";
import type { Trial, TrialContext, TrialReport } from "../trial.ts";
import type { Outage } from "./outage.ts";
import { outageLengthsMs } from "./outage-lengths.ts";
import { recoveryChart } from "./recovery-chart.ts";
import { recoveryTable } from "./recovery-table.ts";
import { runOutages } from "./run-outages.ts";
import { summarizeRecovery } from "./recovery-summary.ts";
import type { RecoverySummary } from "./recovery-summary.ts";

/** What ours is meant to reach. Shown beside the figures; nothing fails by it. */
const AIM = "aimed at for flexnbd-proxy: a median below 100 ms, and none above 600 ms\n";

interface RecoveryReport extends TrialReport {
  readonly contenders: readonly (RecoverySummary & {
    readonly all: readonly Outage[];
    readonly failure: string | null;
  })[];
}

/** How soon a client has its answer after the server is back, for everybody who says to hold requests so long. */
export const RECOVERY: Trial = {
  name: "recovery",
  about: "When the server is back, how soon has the client its reply?",
  run,
};

/** All at the same time: they do little but wait, and each has its own server and its own client. */
async function run({ options, groups, display, contenders }: TrialContext): Promise<RecoveryReport> {
  const lengthsMs = outageLengthsMs(options.outages, options.outageSeconds);
  const players = contenders.flatMap(withItsBest);
  const found = await Promise.all(
    players.map(async (contender) => {
      try {
        const say = (text: string): void => display.progress(`recovery, ${text}`);
        return { contender, outages: await runOutages(groups, contender, lengthsMs, say), failure: null };
      } catch (error) {
        return { contender, outages: [], failure: failureText(error) };
      }
    }),
  );
  const reports = found.map(({ contender, outages, failure }) => {
    return { ...summarizeRecovery(contender.name, outages), all: outages, failure };
  });
  display.result(recoveryTable(reports));
  for (const { name, failure } of reports) if (failure !== null) display.result(`${name} failed: ${failure}\n`);
  display.result(AIM);
  const failed = found.some(({ contender, outages, failure }) => {
    const lost = outages.some((outage) => outage.failure !== null);
    return failure !== null || (contender.role === "ours" && lost);
  });
  return {
    failed,
    contenders: reports,
    charts: [recoveryChart("recovery", "From the server's return to the first reply", reports)],
  };
}

/** Only who holds requests while the server is away; nbdkit also with the options that help it most. */
function withItsBest(contender: Contender): readonly Contender[] {
  if (contender.role !== "ours" && contender.role !== "resilient") return [];
  return contender.name === "nbdkit-nbd-retry" ? [contender, QUICK_RETRY] : [contender];
}
