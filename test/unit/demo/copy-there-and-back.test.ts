import { describe, expect, it } from "vitest";
import { type CopyClient, copyThereAndBack } from "../../../src/demo/copy-there-and-back.ts";
import { BLOCK_BYTES } from "../../../src/demo/demo-plan.ts";
import type { DemoResult } from "../../../src/demo/demo-result.ts";
import type { Slice } from "../../../src/transport/slice.ts";

const SIZE_BYTES = 40 * BLOCK_BYTES;

/** A client of a disk in memory, where reads are answered in any order. */
class FakeClient implements CopyClient {
  readonly disk = Buffer.alloc(SIZE_BYTES);
  readonly inFlight = 0;
  readonly longestWaitMs = 5;
  flushes = 0;

  write(offset: number, payload: Slice): Promise<void> {
    payload.bytes().copy(this.disk, offset);
    return Promise.resolve();
  }

  async read(offset: number, length: number): Promise<Buffer> {
    for (let turns = (offset / BLOCK_BYTES) % 3; turns > 0; turns -= 1) await Promise.resolve();
    return this.disk.subarray(offset, offset + length);
  }

  flush(): Promise<void> {
    this.flushes += 1;
    return Promise.resolve();
  }
}

function copy(client: CopyClient): Promise<DemoResult> {
  return copyThereAndBack({
    plan: { sizeBytes: SIZE_BYTES, writing: [], reading: [] },
    durationMs: 0,
    client,
    server: { start: () => Promise.resolve(), kill: () => Promise.resolve() },
    display: {
      progressed: () => undefined,
      happened: () => undefined,
      line: () => undefined,
      log: () => undefined,
      close: () => undefined,
    },
    signal: new AbortController().signal,
    failed: () => undefined,
  });
}

describe("the copy there and back", () => {
  it("writes, flushes, reads, and finds the same checksum", async () => {
    const client = new FakeClient();
    const result = await copy(client);
    expect(result.writtenChecksum).toMatch(/^[0-9a-f]{64}$/);
    expect(result.readChecksum).toBe(result.writtenChecksum);
    expect(result).toMatchObject({ sizeBytes: SIZE_BYTES, kills: 0, longestWaitMs: 5 });
    expect(client.flushes).toBe(1);
  });

  it("fails when a single bit came back wrong", async () => {
    const client = new FakeClient();
    client.flush = () => {
      client.disk.writeUInt8(client.disk.readUInt8(SIZE_BYTES - 1) ^ 1, SIZE_BYTES - 1);
      return Promise.resolve();
    };
    await expect(copy(client)).rejects.toThrow("the data is not the same");
  });

  it("fails when two blocks changed places", async () => {
    const client = new FakeClient();
    const read = client.read.bind(client);
    const swapped = new Map([
      [0, BLOCK_BYTES],
      [BLOCK_BYTES, 0],
    ]);
    client.read = (offset, length) => read(swapped.get(offset) ?? offset, length);
    await expect(copy(client)).rejects.toThrow("the data is not the same");
  });

  it("fails when a request does", async () => {
    const client = new FakeClient();
    client.write = () => Promise.reject(new Error("the client's connection was lost"));
    await expect(copy(client)).rejects.toThrow("the client's connection was lost");
  });
});
