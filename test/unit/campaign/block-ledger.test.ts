import { describe, expect, it } from "vitest";

import { BlockLedger } from "../../../campaign/block-ledger.ts";
import { BLOCK_BYTES, writeTags } from "../../../campaign/block-tag.ts";
import type { Finding } from "../../../campaign/finding.ts";
import type { Operation } from "../../../campaign/operation.ts";

const BLOCKS = 8;
const BLOCK = 3;
const NOTHING = Buffer.alloc(0);
const ENOSPC = 28;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** A disk of which one block is looked at. */
class Scene {
  readonly ledger = new BlockLedger(BLOCKS);

  begin(kind: Operation["kind"], fua = false): Operation {
    return this.ledger.begin({ kind, firstBlock: BLOCK, blocks: kind === "flush" ? 0 : 1, fua });
  }

  end(operation: Operation, error = 0): void {
    expect(this.ledger.finish(operation, error, NOTHING)).toEqual([]);
  }

  /** An operation with no other beside it. */
  done(kind: Operation["kind"], { error = 0, fua = false } = {}): Operation {
    const operation = this.begin(kind, fua);
    this.end(operation, error);
    return operation;
  }

  /** What is wrong with a read that finds these bytes, or what an operation has put there. */
  found(what: Buffer | Operation, read = this.begin("read")): Finding | undefined {
    return this.ledger.finish(read, 0, Buffer.isBuffer(what) ? what : contentOf(what))[0];
  }
}

function contentOf({ value }: Operation, block = BLOCK): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  if (value > 0) writeTags(bytes, block, value, 0);
  return bytes;
}

function halves(first: Operation, second: Operation): Buffer {
  return Buffer.concat([contentOf(first).subarray(0, 256), contentOf(second).subarray(256)]);
}

describe("BlockLedger", () => {
  it("expects zeros at first, and then what was written last", () => {
    const scene = new Scene();
    expect(scene.found(ZEROS)).toBeUndefined();
    scene.done("write");
    expect(scene.found(scene.done("write"))).toBeUndefined();
    scene.done("zeroes");
    expect(scene.found(ZEROS)).toBeUndefined();
  });

  it("tells of a lost write, and tells it once", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const second = scene.done("write");
    const text = "write 1 instead of acknowledged write 2";
    expect(scene.found(first)).toEqual({ kind: "lost", block: BLOCK, text });
    expect(scene.found(first)).toBeUndefined();
    // Perhaps it was only the read that was wrong.
    expect(scene.found(second)).toBeUndefined();
    const third = scene.done("write");
    expect(scene.found(second)).toMatchObject({ kind: "lost" });
    expect(scene.found(third)).toBeUndefined();
  });

  it("tells of zeros that are lost, and of a first write that is", () => {
    const scene = new Scene();
    const first = scene.done("write");
    expect(scene.found(ZEROS)).toMatchObject({ kind: "lost", text: "zeros instead of acknowledged write 1" });
    scene.done("zeroes");
    expect(scene.found(first)).toMatchObject({ kind: "lost", text: "write 1 instead of acknowledged zeroes" });
  });

  it("allows both contents while a write is not answered, but no way back", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const second = scene.begin("write");
    expect(scene.found(first)).toBeUndefined();
    expect(scene.found(second)).toBeUndefined();
    expect(scene.found(first)).toMatchObject({ kind: "lost" });
  });

  it("allows a read to find what was there when it began, but not what was gone by then", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const second = scene.begin("write");
    const early = scene.begin("read");
    scene.end(second);
    const late = scene.begin("read");
    expect(scene.found(first, late)).toMatchObject({ kind: "lost" });
    expect(scene.found(first, early)).toBeUndefined();
  });

  it("allows either of two writes that were under way at once, and then only that one", () => {
    const scene = new Scene();
    const [first, second] = [scene.begin("write"), scene.begin("write")];
    scene.end(second);
    scene.end(first);
    expect(scene.found(second)).toBeUndefined();
    expect(scene.found(first)).toMatchObject({ kind: "lost" });
  });

  it("allows everything there was around a failed write, until the next one is acknowledged", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const failed = scene.done("write", { error: ENOSPC });
    for (const what of [first, failed, first, halves(failed, first)]) expect(scene.found(what)).toBeUndefined();
    expect(scene.found(ZEROS)).toMatchObject({ text: "zeros instead of acknowledged write 1 or failed write 2" });
    const third = scene.done("write");
    expect(scene.found(third)).toBeUndefined();
    expect(scene.found(failed)).toMatchObject({ kind: "lost" });
  });

  it("expects nothing in particular after a TRIM, but neither other blocks nor strange bytes", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const second = scene.done("write");
    scene.done("trim");
    for (const what of [ZEROS, second, first, second]) expect(scene.found(what)).toBeUndefined();
    expect(scene.found(Buffer.alloc(BLOCK_BYTES, 0x5a))).toMatchObject({ kind: "foreign" });
    scene.done("write");
    expect(scene.found(second)).toMatchObject({ kind: "lost" });
  });

  it("allows a mixture only while one of its parts is being written", () => {
    const scene = new Scene();
    const first = scene.done("write");
    const second = scene.begin("write");
    expect(scene.found(halves(second, first))).toBeUndefined();
    scene.end(second);
    expect(scene.found(halves(second, first))).toMatchObject({
      kind: "mixed",
      text: "parts of write 2 and write 1 instead of acknowledged write 2",
    });
    expect(scene.found(halves(second, first))).toBeUndefined();
  });

  it("knows the content of another block", () => {
    const scene = new Scene();
    const write = scene.done("write");
    const text = "write 1 to block 5 instead of acknowledged write 1";
    expect(scene.found(contentOf(write, 5))).toMatchObject({ kind: "misplaced", block: BLOCK, text });
  });

  it("ignores what an unsuccessful read has found", () => {
    const scene = new Scene();
    scene.done("write");
    scene.end(scene.begin("read"), ENOSPC);
  });

  it("judges each block of a read by itself", () => {
    const ledger = new BlockLedger(BLOCKS);
    const write = ledger.begin({ kind: "write", firstBlock: 2, blocks: 3, fua: false });
    ledger.finish(write, 0, NOTHING);
    const data = Buffer.alloc(BLOCKS * BLOCK_BYTES);
    writeTags(data.subarray(2 * BLOCK_BYTES, 4 * BLOCK_BYTES), 2, write.value, 0);
    const read = ledger.begin({ kind: "read", firstBlock: 0, blocks: BLOCKS, fua: false });
    expect(ledger.finish(read, 0, data).map(({ block, kind }) => [block, kind])).toEqual([[4, "lost"]]);
  });
});
