import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, PORTABLE_PAYLOAD_BYTES } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { ReplyAssembly } from "../../../src/upstream/reply-assembly.ts";
import { inWords } from "./structured.ts";

const FRAME = { contextNames: new Map<number, string>(), sizeBytes: 2 ** 40 };
const NO_LUCK = { error: 5, text: "no luck", offset: undefined };

function setUp(length: number, command: number = COMMAND.READ) {
  const assembly = new ReplyAssembly({ command, flags: 0, offset: 0, length }, FRAME);
  /** A chunk of data that comes in one piece, with its header in front, in a slab of this size. */
  const say = (offset: number, text: string, waits: boolean, slabBytes: number): Slab => {
    const slab = new Slab(Buffer.alloc(slabBytes));
    slab.buffer.write(text, 28, "latin1");
    assembly.chunk();
    assembly.dataChunk(offset, text.length, new Slice(slab, 28, 28, 28), waits);
    assembly.append(slab, 28, 28 + text.length);
    return slab;
  };
  const hole = (offset: number, lengthBytes: number): void => {
    assembly.chunk();
    assembly.holeChunk(offset, lengthBytes);
  };
  return { assembly, say, hole };
}

describe("ReplyAssembly", () => {
  it("holds the slab of a chunk that is large, or the last one, and copies the others", () => {
    const { assembly, say } = setUp(16);
    const [small, other, last] = [say(0, "abc", true, 64), say(3, "def", true, 40), say(6, "0123456789", false, 128)];
    const huge = setUp(16);
    const quarter = huge.say(0, "0123456789abcdef", true, 64);
    expect([small, other, last, quarter].map(({ references }) => references)).toEqual([1, 1, 2, 2]);
    expect(inWords(assembly.finish(undefined))).toBe("28:abc 28:def 28:0123456789");
    assembly.release();
    huge.assembly.release();
    expect([small, other, last, quarter].map(({ references }) => references)).toEqual([1, 1, 1, 1]);
  });

  it("lets go of everything at the first error, and keeps nothing that comes later", () => {
    const { assembly, say } = setUp(100);
    const before = say(0, "0123456789", true, 40);
    assembly.chunk();
    assembly.errorChunk(NO_LUCK);
    const behind = say(10, "0123456789", true, 40);
    assembly.chunk();
    assembly.errorChunk({ ...NO_LUCK, text: "again" });
    expect([before.references, behind.references]).toEqual([1, 1]);
    expect(inWords(assembly.finish(undefined))).toBe('error 5 "no luck"');
    assembly.release();
  });

  it("may be released twice, or in the middle of a chunk", () => {
    const { assembly, say } = setUp(100);
    const slab = say(0, "0123456789", true, 40);
    assembly.chunk();
    assembly.dataChunk(10, 4, new Slice(slab, 28, 28, 28), true);
    assembly.append(slab, 28, 30);
    assembly.release();
    assembly.release();
    expect(slab.references).toBe(1);
  });

  it("puts the largest READ together from the smallest chunks, the last one first", () => {
    const { assembly, hole } = setUp(PORTABLE_PAYLOAD_BYTES);
    const chunks = PORTABLE_PAYLOAD_BYTES / LIMITS.chunkBytes;
    for (let index = chunks - 1; index >= 0; index -= 1) hole(index * LIMITS.chunkBytes, LIMITS.chunkBytes);
    const { pieces } = assembly.finish(undefined);
    expect(pieces).toHaveLength(chunks);
    expect(pieces.every((piece) => piece.kind === "hole" && piece.lengthBytes === LIMITS.chunkBytes)).toBe(true);
  });

  it("has room for another header only where it has no data", () => {
    const room = new Slice(new Slab(Buffer.alloc(20)), 20, 20, 20);
    const { assembly, hole } = setUp(8);
    hole(0, 8);
    expect(inWords(assembly.finish(room))).toBe("hole 8");
    const write = setUp(8, COMMAND.WRITE);
    write.assembly.chunk();
    expect(inWords(write.assembly.finish(room))).toBe("room 20");
  });
});
