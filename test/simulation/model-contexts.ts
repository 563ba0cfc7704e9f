import * as structured from "./structured-wire.ts";

/** A metadata context of the model server beside `base:allocation`. What it says of a block never changes. */
export const DIRTY_BITMAP = "qemu:dirty-bitmap:model";

/** All metadata contexts that a model server may have. */
export const MODEL_CONTEXTS: readonly string[] = [structured.BASE_ALLOCATION, DIRTY_BITMAP];

/** The flags of a block in that context: two neighbours have the same, and no others. */
export function dirtyFlags(block: number): number {
  return 0xd100_0000 + Math.floor(block / 2);
}
