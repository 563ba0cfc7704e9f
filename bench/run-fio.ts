import { setTimeout as delay } from "node:timers/promises";

import { parseFioResult } from "./fio-result.ts";
import type { FioResult } from "./fio-result.ts";
import type { ProcessGroups } from "./process-groups.ts";

/** A fio that takes so many seconds longer than it is to is stuck. */
const FIO_GRACE = 30;

/** Runs a fio that is to take so long to its end. Throws when it fails, or is killed because it takes far too long. */
export async function runFio(groups: ProcessGroups, args: readonly string[], seconds: number): Promise<FioResult> {
  return parseFioResult(await fioOutput(groups, args, seconds));
}

/** Runs fio to its end, as `runFio` does, and resolves to what it printed. */
export async function fioOutput(groups: ProcessGroups, args: readonly string[], seconds: number): Promise<string> {
  const limit = seconds + FIO_GRACE;
  const fio = groups.start("fio", args);
  const abort = new AbortController();
  const late = delay(limit * 1000, "late" as const, { signal: abort.signal }).catch(() => "aborted" as const);
  const first = await Promise.race([fio.ended, late]);
  abort.abort();
  if (typeof first === "string") {
    await fio.end();
    throw new Error(`fio did not end within ${limit} s`);
  }
  if ("error" in first) throw first.error;
  if (first.status !== 0) {
    throw new Error(`fio ended with ${first.signal ?? `status ${first.status}`}: ${lastLine(fio.stderr)}`);
  }
  return fio.stdout;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
