/** The chunks less their first `count` bytes. */
export function withoutFirst(chunks: readonly Buffer[], count: number): readonly Buffer[] {
  let skip = count;
  let index = 0;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index += 1;
  }
  if (skip === 0) return chunks.slice(index);
  return chunks.slice(index).map((chunk, position) => (position === 0 ? chunk.subarray(skip) : chunk));
}
