import type { Contender } from "./contender.ts";
import type { Measurement } from "./measurement.ts";

/** All that was measured of one contender under one workload. */
export interface Series {
  readonly contender: Pick<Contender, "name" | "role">;
  /** By round. Fewer than asked for when it failed. */
  readonly rounds: readonly Measurement[];
  /** Why it failed, if it did. */
  readonly failure: string | undefined;
}
