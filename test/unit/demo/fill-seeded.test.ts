import { describe, expect, it } from "vitest";
import { fillSeeded } from "../../../src/demo/fill-seeded.ts";

function block(seed: number, number: number, lengthBytes = 4096): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  fillSeeded(bytes, seed, number);
  return bytes;
}

describe("seeded bytes", () => {
  it("are the same for the same seed and block, on every machine", () => {
    expect(block(7, 3)).toEqual(block(7, 3));
    expect(block(7, 3).toString("hex", 0, 8)).toBe("66f8f9e79cd75fc6");
  });

  it("differ from block to block, so that no block can take another's place", () => {
    const blocks = new Set(Array.from({ length: 2048 }, (_, number) => block(7, number, 16).toString("hex")));
    expect(blocks.size).toBe(2048);
  });

  it("differ from seed to seed", () => {
    expect(block(7, 0)).not.toEqual(block(8, 0));
  });

  it("are spread evenly, even where seed and block are 0", () => {
    const counts = Array.from({ length: 256 }, () => 0);
    for (const byte of block(0, 0, 256 * 1024)) counts[byte] = (counts[byte] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1250);
  });
});
