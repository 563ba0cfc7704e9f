import type { SeededRandom } from "../../simulation/seeded-random.ts";

/** Where bytes are cut on their way: whole, in a few pieces anywhere, or in tiny ones. Ends with the length itself. */
export function cutPositions(lengthBytes: number, random: SeededRandom): number[] {
  const style = random.integer(4);
  const positions: number[] = [];
  if (style === 1 || style === 2) {
    for (let count = random.integer(6); count > 0; count -= 1) positions.push(random.integer(lengthBytes + 1));
    positions.sort((one, other) => one - other);
  } else if (style === 3) {
    const longest = 1 + random.integer(40);
    for (let at = 0; at < lengthBytes && positions.length < 500; at += 1 + random.integer(longest)) positions.push(at);
  }
  positions.push(lengthBytes);
  return positions;
}

/** The bytes in pieces, cut as `cutPositions` says; none of them is empty. */
export function cut(bytes: Buffer, random: SeededRandom): Buffer[] {
  let from = 0;
  const pieces: Buffer[] = [];
  for (const to of cutPositions(bytes.length, random)) {
    if (to > from) pieces.push(bytes.subarray(from, to));
    from = Math.max(from, to);
  }
  return pieces;
}
