import { INITIAL, ZEROS } from "../simulation/block-content.ts";
import type { Operation } from "../simulation/operation-history.ts";

/** The value that an operation gives the blocks that it writes: one that no other has, except that all zeros are alike. */
export function operationValue(number: number, kind: Operation["kind"]): number {
  return kind === "zero" ? ZEROS : INITIAL + 1 + number;
}
