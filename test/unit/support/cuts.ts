/** The same bytes as they may arrive: whole, byte by byte, and in two pieces cut at every position. */
export function everyCut(bytes: Buffer): Buffer[][] {
  return [
    [bytes],
    Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
    ...Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => [
      bytes.subarray(0, index + 1),
      bytes.subarray(index + 1),
    ]),
  ];
}

/** Bytes in pieces of these lengths, taken in turn. */
export function cutInto(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = Math.max(1, lengths[turn % Math.max(1, lengths.length)] ?? bytes.length);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
