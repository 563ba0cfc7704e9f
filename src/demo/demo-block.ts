import { BLOCK_BYTES } from "./demo-plan.ts";
import { fillSeeded } from "./fill-seeded.ts";

const SEED = 0x4e42_444d;
/** A block that is not the right one differs from here on, as a rule. */
const BEGINNING_BYTES = 64;

/** Fills `target` with the block that the demo writes at an offset, or its beginning: the same at every run. */
export function fillDemoBlock(target: Buffer, offset: number): void {
  fillSeeded(target, SEED, offset / BLOCK_BYTES);
}

/** Whether these are the bytes that the demo writes at an offset. */
export function isDemoBlock(bytes: Buffer, offset: number): boolean {
  return isBeginning(bytes.subarray(0, BEGINNING_BYTES), offset) && isBeginning(bytes, offset);
}

function isBeginning(bytes: Buffer, offset: number): boolean {
  const expected = Buffer.alloc(bytes.length);
  fillDemoBlock(expected, offset);
  return bytes.equals(expected);
}
