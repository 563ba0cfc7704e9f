import { median } from "../median.ts";
import type { Outage } from "./outage.ts";

/** A contender's outages in numbers; null where the client was told of every one. */
export interface RecoverySummary {
  readonly name: string;
  readonly outages: number;
  readonly failures: number;
  readonly medianMs: number | null;
  readonly meanMs: number | null;
  readonly maxMs: number | null;
}

/** Sums up the outages of one contender. Those that failed have no time, and are in no figure but their own. */
export function summarizeRecovery(name: string, outages: readonly Outage[]): RecoverySummary {
  const times = outages.flatMap(({ recoveryMs }) => recoveryMs ?? []);
  return {
    name,
    outages: outages.length,
    failures: outages.length - times.length,
    medianMs: median(times) ?? null,
    meanMs: times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0) / times.length,
    maxMs: times.length === 0 ? null : Math.max(...times),
  };
}
