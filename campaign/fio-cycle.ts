import { setTimeout as delay } from "node:timers/promises";

import type { LoadPlan } from "./cycle-plan.ts";
import { fioArguments, fioOutcome } from "./fio-run.ts";
import type { FioRun } from "./fio-run.ts";
import { exportNameOf } from "./server-command.ts";
import type { Stage } from "./stage.ts";
import { strike } from "./strike.ts";
import { emptyTally } from "./tally.ts";
import { within } from "./within.ts";

/** One run without faults takes three seconds, and the longest faults take as long. */
const RUN_DEADLINE_MS = 120_000;

/**
 * Has the faults of a cycle strike while fio writes and verifies, again and again. They are of one kind, as fio tells what
 * it did only at the end. Resolves to why fio failed, other than by wrong content.
 */
export async function runFioCycle(stage: Stage, plan: Extract<LoadPlan, { kind: "fio" }>): Promise<string | undefined> {
  const { ground, disk, server, windows } = stage;
  const tally = emptyTally();
  const over = new AbortController();
  const load = async (): Promise<string | undefined> => {
    for (let run = 0; !over.signal.aborted; run++) {
      const uri = `nbd+unix:///${exportNameOf(server.name)}?socket=${stage.proxy.socketPath}`;
      const fio = ground.start("fio", fioArguments(uri, ground.folder, stage.plan.seed + run, plan.fsyncEvery));
      let result: FioRun;
      try {
        result = await within("fio ends", RUN_DEADLINE_MS, fioOutcome(fio));
      } finally {
        await fio.end();
      }
      tally.operations += result.operations;
      tally.bytesWritten += result.bytesWritten;
      tally.bytesRead += result.bytesRead;
      tally.findings.push(...result.findings);
      if (result.failure !== undefined || result.findings.length > 0) return result.failure;
    }
    return undefined;
  };
  const loading = load().finally(() => over.abort());
  // The one who waits hears of it, later.
  loading.catch(() => undefined);
  try {
    for (const one of stage.plan.strikes) {
      await delay(one.afterMs);
      if (over.signal.aborted) break;
      windows.push({ fault: one.fault, unflushedBytes: 0, tally: windows.length === 0 ? tally : emptyTally() });
      await strike(one, { ground, server, sizeBytes: disk.sizeBytes, onKill: () => undefined });
    }
  } finally {
    over.abort();
  }
  return loading;
}
