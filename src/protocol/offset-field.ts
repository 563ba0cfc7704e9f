const TWO_TO_32 = 0x1_0000_0000;

/** The 64-bit offset at `at`, big-endian. One beyond 2^53 is not exact, but still far beyond every export. */
export function decodeOffset(view: DataView, at: number): number {
  return view.getUint32(at) * TWO_TO_32 + view.getUint32(at + 4);
}

/** Writes a 64-bit offset at `at`, an exact one. */
export function encodeOffset(view: DataView, at: number, offset: number): void {
  view.setUint32(at, Math.floor(offset / TWO_TO_32));
  view.setUint32(at + 4, offset >>> 0);
}
