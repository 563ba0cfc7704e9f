import type { Role } from "./contender.ts";
import type { Measurement } from "./measurement.ts";
import type { Series } from "./series.ts";

/** All that was measured of one contender under one workload, as it is written to a file. */
export interface SeriesReport {
  readonly name: string;
  readonly role: Role;
  readonly rounds: readonly Measurement[];
  readonly failure: string | null;
}

/** A series as it is written to a file. */
export function seriesReport({ contender, rounds, failure }: Series): SeriesReport {
  return { name: contender.name, role: contender.role, rounds, failure: failure ?? null };
}
