import type { CyclePlan } from "./cycle-plan.ts";
import type { Fault } from "./fault.ts";
import type { Tally } from "./tally.ts";

/** What happened from one fault to the next; to the first one belongs what was before it, to the last what came after. */
export interface FaultWindow {
  readonly fault: Fault;
  /** What was acknowledged and not covered by an acknowledged FLUSH when the server was killed; 0 if it was not. */
  unflushedBytes: number;
  tally: Tally;
}

/** What came of a cycle. */
export interface CycleOutcome {
  readonly plan: CyclePlan;
  readonly windows: readonly FaultWindow[];
  /** Why it could not go on, or what clients saw that they must not, beside wrong content; undefined for nothing. */
  readonly failure: string | undefined;
  readonly seconds: number;
}

/** How many blocks were lost or wrong. */
export function wrongBlocks({ windows }: Pick<CycleOutcome, "windows">): number {
  return windows.reduce((sum, { tally }) => sum + tally.findings.length, 0);
}
