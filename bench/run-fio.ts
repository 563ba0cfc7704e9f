import { setTimeout as delay } from "node:timers/promises";

import { parseFioResult } from "./fio-result.ts";
import type { FioResult } from "./fio-result.ts";
import type { ProcessGroups } from "./process-groups.ts";

/** A fio that takes so much longer than it was told to is stuck. */
export const FIO_GRACE_MS = 30_000;

/** Runs fio to its end. Throws when it fails, or is killed because the deadline has passed. */
export async function runFio(groups: ProcessGroups, args: readonly string[], deadlineMs: number): Promise<FioResult> {
  return parseFioResult(await fioOutput(groups, args, deadlineMs));
}

/** Runs fio to its end, as `runFio` does, and resolves to what it printed. */
export async function fioOutput(groups: ProcessGroups, args: readonly string[], deadlineMs: number): Promise<string> {
  const fio = groups.start("fio", args);
  const abort = new AbortController();
  const late = delay(deadlineMs, "late" as const, { signal: abort.signal }).catch(() => "aborted" as const);
  const first = await Promise.race([fio.ended, late]);
  abort.abort();
  if (typeof first === "string") {
    await fio.end();
    throw new Error(`fio did not end within ${deadlineMs / 1000} s`);
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
