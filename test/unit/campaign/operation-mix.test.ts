import { describe, expect, it } from "vitest";

import { OperationMix } from "../../../campaign/operation-mix.ts";
import type { MixSettings } from "../../../campaign/operation-mix.ts";
import type { WantedOperation } from "../../../campaign/operation.ts";
import { SeededRandom } from "../../simulation/seeded-random.ts";
import * as wire from "../../simulation/wire.ts";

const DISK_BLOCKS = 20_000;
const { FLUSH, FUA, TRIM, ZEROES } = wire.OFFERS;
const SETTINGS: MixSettings = {
  hotFirstBlock: 10_001,
  hotBlocks: 1024,
  hotShare: 0.8,
  readShare: 0.4,
  zeroesShare: 0.1,
  trimShare: 0.05,
  flushShare: 0.05,
  fuaShare: 0.2,
};

function draw(offers: number, settings = SETTINGS, diskBlocks = DISK_BLOCKS): WantedOperation[] {
  const mix = new OperationMix(new SeededRandom(1), settings, diskBlocks, offers);
  return Array.from({ length: 5000 }, () => mix.next());
}

function shareOf(operations: readonly WantedOperation[], test: (operation: WantedOperation) => boolean): number {
  return operations.filter(test).length / operations.length;
}

describe("OperationMix", () => {
  it("mixes kinds as it is told", () => {
    const drawn = draw(FLUSH | FUA | TRIM | ZEROES);
    expect(shareOf(drawn, ({ kind }) => kind === "flush")).toBeCloseTo(0.05, 1);
    expect(shareOf(drawn, ({ kind }) => kind === "trim")).toBeCloseTo(0.05, 1);
    expect(shareOf(drawn, ({ kind }) => kind === "zeroes")).toBeCloseTo(0.1, 1);
    expect(shareOf(drawn, ({ kind }) => kind === "read")).toBeCloseTo(0.32, 1);
    const writes = drawn.filter(({ kind }) => kind === "write" || kind === "zeroes");
    expect(shareOf(writes, ({ fua }) => fua)).toBeCloseTo(0.2, 1);
    expect(drawn.some(({ kind, fua }) => fua && kind !== "write" && kind !== "zeroes")).toBe(false);
  });

  it("asks for nothing that is not offered", () => {
    const drawn = draw(0);
    expect(new Set(drawn.map(({ kind }) => kind))).toEqual(new Set(["read", "write"]));
    expect(drawn.some(({ fua }) => fua)).toBe(false);
  });

  it("stays on the disk, mostly in the hot blocks, with lengths from one block to 256 KiB", () => {
    const drawn = draw(0);
    for (const { firstBlock, blocks } of drawn) {
      expect(firstBlock).toBeGreaterThanOrEqual(0);
      expect(firstBlock + blocks).toBeLessThanOrEqual(DISK_BLOCKS);
    }
    const isHot = ({ firstBlock, blocks }: WantedOperation) => firstBlock >= 10_001 && firstBlock + blocks <= 11_025;
    expect(shareOf(drawn, isHot)).toBeGreaterThan(0.75);
    expect(shareOf(drawn, isHot)).toBeLessThan(0.9);
    const lengths = drawn.map(({ blocks }) => blocks);
    expect(Math.min(...lengths)).toBe(1);
    expect(Math.max(...lengths)).toBeGreaterThan(500);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(512);
  });
});
