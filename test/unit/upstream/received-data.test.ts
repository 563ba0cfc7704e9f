import { describe, expect, it } from "vitest";

import { Slab } from "../../../src/transport/slab.ts";
import { ReceivedData } from "../../../src/upstream/received-data.ts";

function piecesOf(data: ReceivedData): readonly (readonly [number, string, boolean])[] {
  return data
    .pieces()
    .flatMap((piece) =>
      piece.kind === "hole"
        ? []
        : [[piece.slice.headroomBytes, piece.slice.bytes().toString(), piece.continues === true] as const],
    );
}

describe("ReceivedData", () => {
  it("is one piece as long as its bytes lie side by side, and holds a slab once for each", () => {
    const data = new ReceivedData();
    const [one, other] = [new Slab(Buffer.from("--abcdef")), new Slab(Buffer.from("ghij"))];
    data.begin(one, 2, 2);
    expect([data.isEmpty, piecesOf(data)]).toEqual([true, []]);
    data.append(one, 2, 4);
    data.append(one, 4, 8);
    data.append(other, 0, 2);
    data.append(other, 3, 4);
    expect(data.isEmpty).toBe(false);
    expect(piecesOf(data)).toEqual([
      [2, "abcdef", false],
      [0, "gh", true],
      [0, "j", true],
    ]);
    expect([one.references, other.references]).toEqual([2, 3]);
    data.release();
    expect([one.references, other.references, data.isEmpty]).toEqual([1, 1, true]);
  });

  it("has headroom only right behind its header", () => {
    const slab = new Slab(Buffer.from("---abc"));
    const elsewhere = new ReceivedData();
    elsewhere.begin(new Slab(Buffer.alloc(3)), 3, 3);
    elsewhere.append(slab, 3, 6);
    const apart = new ReceivedData();
    apart.begin(slab, 2, 2);
    apart.append(slab, 3, 6);
    expect([piecesOf(elsewhere), piecesOf(apart)]).toEqual([[[0, "abc", false]], [[0, "abc", false]]]);
  });

  it("may be used again once it was released", () => {
    const data = new ReceivedData();
    const slab = new Slab(Buffer.from("-a-b"));
    data.begin(slab, 1, 1);
    data.append(slab, 1, 2);
    data.release();
    data.append(slab, 1, 2);
    // Of the header before nothing is left.
    expect(piecesOf(data)).toEqual([[0, "a", false]]);
    data.release();
    expect(slab.references).toBe(1);
  });
});
