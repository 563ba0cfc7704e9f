import type { Piece } from "../disk.ts";
import { Slice } from "../transport/slice.ts";

/** The pieces of the first `lengthBytes` of what the pieces cover, without a copy. */
export function piecesWithin(pieces: readonly Piece[], lengthBytes: number): Piece[] {
  const within: Piece[] = [];
  let leftBytes = lengthBytes;
  for (const piece of pieces) {
    if (leftBytes === 0) break;
    const pieceBytes = piece.kind === "data" ? piece.slice.length : piece.lengthBytes;
    const usedBytes = Math.min(leftBytes, pieceBytes);
    within.push(usedBytes === pieceBytes ? piece : beginning(piece, usedBytes));
    leftBytes -= usedBytes;
  }
  return within;
}

function beginning(piece: Piece, lengthBytes: number): Piece {
  if (piece.kind === "hole") return { kind: "hole", lengthBytes };
  const { slab, start, headroomBytes } = piece.slice;
  return { ...piece, slice: new Slice(slab, start, start + lengthBytes, headroomBytes) };
}
