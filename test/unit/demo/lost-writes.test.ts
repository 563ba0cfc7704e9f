import { mkdtemp, open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillDemoBlock } from "../../../src/demo/demo-block.ts";
import { BLOCK_BYTES } from "../../../src/demo/demo-plan.ts";
import { LostWrites } from "../../../src/demo/lost-writes.ts";

let folder: string;
let file: FileHandle;
let lostWrites: LostWrites;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lost-writes-"));
  const path = join(folder, "disk.img");
  file = await open(path, "w+");
  lostWrites = new LostWrites(path);
});
afterEach(async () => {
  await file.close();
  await rm(folder, { recursive: true });
});

/** The server puts a block, or the beginning of it, into its file. */
async function store(block: number, lengthBytes = BLOCK_BYTES): Promise<void> {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  fillDemoBlock(bytes, block * BLOCK_BYTES);
  await file.write(bytes, 0, lengthBytes, block * BLOCK_BYTES);
}

function acknowledge(...blocks: number[]): void {
  for (const block of blocks) lostWrites.acknowledged(block * BLOCK_BYTES);
}

describe("lost writes", () => {
  it("are those that were acknowledged and are not whole in the file", async () => {
    acknowledge(0, 1, 2, 3);
    await store(1);
    await store(2, BLOCK_BYTES - 4);
    await store(4);
    expect(await lostWrites.count()).toBe(3 * BLOCK_BYTES);
    expect(lostWrites.totalBytes).toBe(3 * BLOCK_BYTES);
  });

  it("are none where all is there, or nothing was acknowledged", async () => {
    expect(await lostWrites.count()).toBe(0);
    acknowledge(0);
    await store(0);
    expect(await lostWrites.count()).toBe(0);
    await expect(lostWrites.expectNone()).resolves.toBeUndefined();
    expect(lostWrites.totalBytes).toBe(0);
  });

  it("count once in the total, however often the server loses them", async () => {
    acknowledge(0);
    await lostWrites.count();
    acknowledge(1);
    expect(await lostWrites.count()).toBe(2 * BLOCK_BYTES);
    await store(0);
    await store(1);
    expect(await lostWrites.count()).toBe(0);
    expect(lostWrites.totalBytes).toBe(2 * BLOCK_BYTES);
  });

  it("are an error in the end", async () => {
    acknowledge(0, 8);
    await store(0);
    await expect(lostWrites.expectNone()).rejects.toThrow(
      "0.1 MiB that were acknowledged, and then flushed, are not in",
    );
    expect(lostWrites.totalBytes).toBe(0);
  });

  it("are not blocks that lie in another's place", async () => {
    acknowledge(0);
    const other = Buffer.alloc(BLOCK_BYTES);
    fillDemoBlock(other, BLOCK_BYTES);
    await file.write(other, 0, BLOCK_BYTES, 0);
    expect(await lostWrites.count()).toBe(BLOCK_BYTES);
  });
});
