import { COMMAND } from "../protocol/constants.ts";
import type { Fragment } from "../durability/write-log.ts";
import type { Piece } from "../disk.ts";
import { Slice } from "../transport/slice.ts";
import type { KeptContent } from "./log-memory.ts";

/**
 * A read's data with the content of fragments laid over it. `pieces` are what the server sent for the range that begins at
 * `offset`; the fragments overlap that range, are in order, and stand over it.
 */
export function overlay(
  pieces: readonly Piece[],
  offset: number,
  fragments: readonly Fragment<KeptContent>[],
): readonly Piece[] {
  const end = pieces.reduce((at, piece) => at + lengthOf(piece), offset);
  const result: Piece[] = [];
  let at = offset;
  for (const fragment of fragments) {
    // What a TRIM leaves is not defined, so that what the server says is as good.
    if (fragment.command === COMMAND.TRIM) continue;
    const from = Math.max(offset, fragment.start);
    const to = Math.min(end, fragment.end);
    appendRange(result, pieces, at - offset, from - offset);
    appendFragment(result, fragment, from, to);
    at = to;
  }
  appendRange(result, pieces, at - offset, end - offset);
  return result;
}

function lengthOf(piece: Piece): number {
  return piece.kind === "data" ? piece.slice.length : piece.lengthBytes;
}

/** Adds bytes [from, to) of what pieces hold. What comes first begins anew: it may not go on with what stands before it now. */
function appendRange(result: Piece[], pieces: readonly Piece[], from: number, to: number): void {
  let at = 0;
  let isFirst = true;
  for (const piece of pieces) {
    const length = lengthOf(piece);
    const start = Math.max(from, at);
    const end = Math.min(to, at + length);
    if (start < end) {
      const isWhole = start === at && end === at + length && !(isFirst && piece.kind === "data" && piece.continues);
      result.push(isWhole ? piece : cut(piece, start - at, end - at, isFirst));
      isFirst = false;
    }
    at += length;
  }
}

function cut(piece: Piece, start: number, end: number, isFirst: boolean): Piece {
  if (piece.kind === "hole") return { kind: "hole", lengthBytes: end - start };
  const { slab, start: begin, headroomBytes } = piece.slice;
  const slice = new Slice(slab, begin + start, begin + end, start === 0 ? headroomBytes : 0);
  return piece.continues === true && !isFirst ? { kind: "data", slice, continues: true } : { kind: "data", slice };
}

function appendFragment(result: Piece[], fragment: Fragment<KeptContent>, from: number, to: number): void {
  if (fragment.content === undefined) {
    result.push({ kind: "hole", lengthBytes: to - from });
    return;
  }
  const begin = fragment.contentStart - fragment.start;
  const slices: Slice[] = [];
  fragment.content.appendTo(slices, begin + from, begin + to);
  for (const [index, slice] of slices.entries()) {
    result.push(index === 0 ? { kind: "data", slice } : { kind: "data", slice, continues: true });
  }
}
