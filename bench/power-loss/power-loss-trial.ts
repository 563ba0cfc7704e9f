import type { Contender } from "../contender.ts";
import { recoveryChart } from "../recovery/recovery-chart.ts";
import { recoveryTable } from "../recovery/recovery-table.ts";
import { summarizeRecovery } from "../recovery/recovery-summary.ts";
import type { RecoverySummary } from "../recovery/recovery-summary.ts";
import { rotated } from "../rotated.ts";
import type { Trial, TrialContext, TrialReport } from "../trial.ts";
import { unlessItFails } from "../unless-it-fails.ts";
import { powerLoss } from "./power-loss.ts";
import type { PowerLoss } from "./power-loss.ts";
import { UNFLUSHED_WORKLOADS } from "./unflushed-workload.ts";
import type { UnflushedWorkload } from "./unflushed-workload.ts";

/** What ours is meant to reach. Shown beside the figures; nothing fails by it. */
const AIM = "aimed at: none above 500 ms after 64 MiB\n";

interface PowerLossReport extends TrialReport {
  readonly rows: readonly (RecoverySummary & {
    readonly workload: UnflushedWorkload;
    readonly contender: string;
    readonly all: readonly PowerLoss[];
    readonly failure: string | null;
  })[];
}

/** One of ours, and what it has to write again. */
interface Course {
  readonly contender: Contender;
  readonly workload: UnflushedWorkload;
  readonly all: PowerLoss[];
  failure: string | null;
}

/** How soon a client has its answer when the server comes back without what it had in its cache. Only ours knows of that. */
export const POWER_LOSS: Trial = {
  name: "power-loss",
  about: "When the server has lost all that it had not flushed, how soon has the client its reply?",
  workloads: UNFLUSHED_WORKLOADS.map(({ name }) => name),
  run,
};

async function run({ options, groups, display, contenders, workloads }: TrialContext): Promise<PowerLossReport> {
  const courses = contenders
    .filter(({ role }) => role === "ours")
    .flatMap((contender) =>
      UNFLUSHED_WORKLOADS.filter(({ name }) => workloads.includes(name)).map((workload): Course => {
        return { contender, workload, all: [], failure: null };
      }),
    );
  for (let round = 0; round < options.rounds; round += 1) {
    for (const course of rotated(courses, round)) {
      await unlessItFails(course, async () => {
        display.progress(`power-loss, round ${round + 1} of ${options.rounds}: ${nameOf(course)}`);
        course.all.push(await powerLoss(groups, course.contender, course.workload));
      });
    }
  }
  const rows = courses.map((course) => {
    const { contender, workload, all, failure } = course;
    return { ...summarizeRecovery(nameOf(course), all), workload, contender: contender.name, all, failure };
  });
  display.result(recoveryTable(rows));
  for (const { name, failure } of rows) if (failure !== null) display.result(`${name} failed: ${failure}\n`);
  display.result(AIM);
  const failed = rows.some(({ all, failure }) => failure !== null || all.some((outage) => outage.failure !== null));
  return {
    failed,
    rows,
    charts: [recoveryChart("power-loss", "From the server's return without its cache to the first reply", rows)],
  };
}

function nameOf({ contender, workload }: Course): string {
  return `${workload.name}, ${workload.totalBytes / 1024 / 1024} MiB, ${contender.name}`;
}
