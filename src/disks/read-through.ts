import type { DiskHandle, DiskRequest, Reply } from "../disk.ts";
import { complete, freshSlice } from "./commands.ts";
import type { CachedRange, WriteCacheContents } from "./write-cache-contents.ts";

/** Answers a READ from the layers of a cache, the newest first, and where none of them has anything from the disk below. */
export function readThrough(request: DiskRequest, layers: readonly WriteCacheContents[], below: DiskHandle): void {
  const { offset, length } = request;
  const end = offset + length;
  if (!layers.some((layer) => layer.overlaps(offset, end))) return below.submit(request);
  const slice = freshSlice(length);
  const target = slice.bytes();
  // Copied now: what is in the cache may be below when the disk below answers, but too late for that answer.
  let gaps: CachedRange[] = [{ start: offset, end }];
  for (const layer of layers) gaps = gaps.flatMap((gap) => layer.copyTo(target, offset, gap));
  const first = gaps[0];
  const last = gaps.at(-1);
  if (first === undefined || last === undefined) return complete(request, 0, [{ kind: "data", slice }]);
  below.submit({
    command: request.command,
    flags: request.flags,
    offset: first.start,
    length: last.end - first.start,
    payload: [],
    room: undefined,
    complete: (reply) => {
      for (const gap of gaps) copyPieces(reply, first.start, gap, target.subarray(gap.start - offset));
      if (reply.error === 0) complete(request, 0, [{ kind: "data", slice }]);
      else request.complete(reply);
    },
  });
}

/** Copies a range out of a reply that begins at `origin` to the beginning of `target`. */
function copyPieces({ pieces }: Reply, origin: number, { start, end }: CachedRange, target: Buffer): void {
  let position = origin;
  for (const piece of pieces) {
    const pieceStart = position;
    position += piece.kind === "data" ? piece.slice.length : piece.lengthBytes;
    const from = Math.max(start, pieceStart);
    const to = Math.min(end, position);
    if (from >= to) continue;
    if (piece.kind === "hole") target.fill(0, from - start, to - start);
    else piece.slice.bytes().copy(target, from - start, from - pieceStart, to - pieceStart);
  }
}
