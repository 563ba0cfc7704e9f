import { describe, expect, it } from "vitest";

import { BatchedWriter } from "../../../src/transport/batched-writer.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { settle } from "../support/settle.ts";

function setUp() {
  const stream = new FakeStream();
  const batches: [bytes: number, charges: number][] = [];
  const waits: number[] = [];
  const writer = new BatchedWriter(stream, {
    batchWaits: (bytes) => waits.push(bytes),
    batchLeft: (bytes, charges) => batches.push([bytes, charges]),
  });
  stream.start({
    buffer: () => Buffer.alloc(1),
    received: () => undefined,
    drained: () => writer.drained(),
    ended: () => undefined,
    closed: () => writer.closed(),
  });
  const home: Slab[] = [];
  const slab = new Slab(Buffer.from("0123456789abcdef"), (one) => home.push(one));
  return { stream, writer, batches, waits, slab, home };
}

describe("BatchedWriter", () => {
  it("sends everything that one turn appended with one write", async () => {
    const { stream, writer, slab } = setUp();
    writer.append(slab, 0, 2);
    writer.append(slab, 8, 10);
    writer.appendBytes(Buffer.from("--"));
    expect(stream.writes).toEqual([]);
    expect(writer.backlogBytes).toBe(6);
    await settle();
    expect(stream.heard.toString()).toBe("0189--");
    expect(stream.writes).toEqual([[2, 2, 2]]);
    expect(writer.backlogBytes).toBe(0);
  });

  it("merges what lies side by side in one slab into one chunk", async () => {
    const { stream, writer, slab } = setUp();
    const other = new Slab(Buffer.from("XYZ"));
    writer.append(slab, 0, 4);
    writer.append(slab, 4, 5);
    writer.append(slab, 5, 9);
    writer.append(other, 0, 3);
    writer.append(slab, 9, 12);
    writer.append(slab, 2, 4);
    await settle();
    expect(stream.heard.toString()).toBe("012345678XYZ9ab23");
    expect(stream.writes).toEqual([[9, 3, 3, 2]]);
  });

  it("says of every batch that can't leave at once how long it is, when it begins to wait", async () => {
    const { stream, writer, waits, slab } = setUp();
    writer.append(slab, 0, 2);
    await settle();
    expect(waits).toEqual([]);
    stream.takeOnly(3);
    writer.append(slab, 0, 7);
    await settle();
    writer.append(slab, 8, 13);
    await settle();
    expect(waits).toEqual([7]);
    stream.take(4);
    await settle();
    expect(waits).toEqual([7, 5]);
    stream.take();
    await settle();
    expect([waits, writer.backlogBytes]).toEqual([[7, 5], 0]);
  });

  it("numbers its batches: what is appended has the number of the one that gathers, until that is handed over", async () => {
    const { stream, writer, slab } = setUp();
    expect([writer.batches, writer.batchesBegun]).toEqual([1, 0]);
    writer.append(slab, 0, 2);
    expect([writer.batches, writer.batchesBegun]).toEqual([1, 0]);
    await settle();
    expect([writer.batches, writer.batchesBegun]).toEqual([2, 1]);
    stream.takeOnly(0);
    writer.append(slab, 0, 2);
    await settle();
    writer.append(slab, 4, 6);
    await settle();
    expect([writer.batches, writer.batchesBegun]).toEqual([3, 2]);
  });

  it("retains a slab once for each range until it has left", async () => {
    const { writer, slab, home } = setUp();
    writer.append(slab, 0, 4);
    writer.append(slab, 4, 8);
    writer.append(slab, 2, 3);
    slab.release();
    expect(slab.references).toBe(3);
    await settle();
    expect(home).toEqual([slab]);
  });

  it("keeps a slab until the stream has drained, and gathers the next batch meanwhile", async () => {
    const { stream, writer, slab, home } = setUp();
    stream.takeOnly(1);
    writer.append(slab, 0, 4);
    slab.release();
    await settle();
    expect([stream.heard.toString(), slab.references]).toEqual(["0", 1]);
    writer.appendBytes(Buffer.from("next"));
    writer.appendBytes(Buffer.from("more"));
    await settle();
    expect(stream.writes).toEqual([[4]]);
    expect(writer.backlogBytes).toBe(12);
    stream.take();
    await settle();
    expect(home).toEqual([slab]);
    expect(stream.heard.toString()).toBe("0123nextmore");
    expect(stream.writes).toEqual([[4], [4, 4]]);
    expect(writer.backlogBytes).toBe(0);
  });

  it("tells when what was charged has left, in sum for a batch", async () => {
    const { stream, writer, batches } = setUp();
    writer.appendBytes(Buffer.from("a"));
    writer.charge(100);
    writer.charge(0);
    expect(batches).toEqual([]);
    await settle();
    expect(batches).toEqual([[100, 2]]);
    stream.takeOnly(0);
    writer.appendBytes(Buffer.from("b"));
    writer.charge(7);
    await settle();
    writer.charge(8);
    await settle();
    expect(batches).toEqual([[100, 2]]);
    stream.take();
    await settle();
    expect(batches).toEqual([
      [100, 2],
      [7, 1],
      [8, 1],
    ]);
  });

  it("tells about a charge without bytes as well, with no write", async () => {
    const { stream, writer, batches } = setUp();
    writer.charge(5);
    await settle();
    expect(batches).toEqual([[5, 1]]);
    expect(stream.writes).toEqual([]);
  });

  it("says nothing about batches without charges", async () => {
    const { writer, batches } = setUp();
    writer.appendBytes(Buffer.from("a"));
    await settle();
    expect(batches).toEqual([]);
  });

  it("appends nothing for an empty range", async () => {
    const { stream, writer, slab } = setUp();
    writer.append(slab, 4, 4);
    await settle();
    expect(slab.references).toBe(1);
    expect(stream.writes).toEqual([]);
  });

  it("lets go of everything when the stream is gone, and tells about every charge", async () => {
    const { stream, writer, batches, slab, home } = setUp();
    stream.takeOnly(0);
    writer.append(slab, 0, 4);
    writer.charge(1);
    await settle();
    writer.append(slab, 4, 8);
    writer.charge(2);
    slab.release();
    stream.drop();
    await settle();
    expect(home).toEqual([slab]);
    expect(batches).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(writer.backlogBytes).toBe(0);
  });

  it("takes nothing after that, and answers a charge at once", async () => {
    const { stream, writer, batches, slab } = setUp();
    stream.drop();
    await settle();
    writer.append(slab, 0, 4);
    writer.charge(3);
    expect(batches).toEqual([[3, 1]]);
    await settle();
    expect([slab.references, writer.backlogBytes, stream.writes]).toEqual([1, 0, []]);
  });

  it("drops what was appended in the turn in which the stream went", async () => {
    const { writer, slab, stream } = setUp();
    writer.append(slab, 0, 4);
    writer.closed();
    await settle();
    expect(slab.references).toBe(1);
    expect(stream.writes).toEqual([]);
  });

  it("ends the stream behind everything that was appended, however slowly that leaves", async () => {
    const { stream, writer } = setUp();
    stream.takeOnly(2);
    writer.appendBytes(Buffer.from("first"));
    await settle();
    writer.appendBytes(Buffer.from("second"));
    writer.end();
    await settle();
    expect(stream.finished).toBe(false);
    stream.take(5);
    await settle();
    writer.appendBytes(Buffer.from("third"));
    stream.take();
    await settle();
    expect([stream.heard.toString(), stream.finished, stream.droppedBytes]).toEqual(["firstsecondthird", true, 0]);
  });

  it("ends the stream when there is nothing to send, later", async () => {
    const { stream, writer } = setUp();
    writer.end();
    expect(stream.finished).toBe(false);
    await settle();
    expect([stream.finished, stream.writes]).toEqual([true, []]);
  });

  it("does not end a stream that is gone", async () => {
    const { stream, writer } = setUp();
    writer.end();
    writer.closed();
    await settle();
    expect(stream.finished).toBe(false);
  });

  it("sends what an owner appends when it is told that a batch has left", async () => {
    const stream = new FakeStream();
    let left = 3;
    const writer: BatchedWriter = new BatchedWriter(stream, {
      batchWaits: () => undefined,
      batchLeft: () => {
        left -= 1;
        if (left === 0) return;
        writer.appendBytes(Buffer.from("again"));
        writer.charge(1);
      },
    });
    writer.charge(1);
    await settle();
    expect(left).toBe(0);
    expect(stream.writes).toEqual([[5], [5]]);
  });
});
