import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CopyClient, copyThereAndBack } from "../../../src/demo/copy-there-and-back.ts";
import { BLOCK_BYTES, type DemoPlan } from "../../../src/demo/demo-plan.ts";
import type { DemoResult } from "../../../src/demo/demo-result.ts";
import type { Slice } from "../../../src/transport/slice.ts";

const SIZE_BYTES = 40 * BLOCK_BYTES;
const CALM: DemoPlan = { sizeBytes: SIZE_BYTES, writing: [], reading: [] };

let folder: string;
let diskPath: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "copy-"));
  diskPath = join(folder, "disk.img");
});
afterEach(() => rm(folder, { recursive: true }));

/** A client of a disk in memory, which becomes a file when it is flushed. Reads are answered in any order. */
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

  async flush(): Promise<void> {
    this.flushes += 1;
    await writeFile(diskPath, this.disk);
  }
}

function copy(client: CopyClient, plan: DemoPlan = CALM): Promise<DemoResult> {
  return copyThereAndBack({
    plan,
    durationMs: 0,
    client,
    diskPath,
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
    expect(result).toMatchObject({ sizeBytes: SIZE_BYTES, kills: 0, lostBytes: 0, longestWaitMs: 5 });
    expect(client.flushes).toBe(1);
  });

  it("fails when a single bit came back wrong", async () => {
    const client = new FakeClient();
    const flush = client.flush.bind(client);
    client.flush = async () => {
      await flush();
      client.disk.writeUInt8(client.disk.readUInt8(SIZE_BYTES - 1) ^ 1, SIZE_BYTES - 1);
    };
    await expect(copy(client)).rejects.toThrow("the data is not the same");
  });

  it("fails when anything is missing in the server's file after it was flushed, though all of it could be read", async () => {
    const client = new FakeClient();
    client.flush = () => writeFile(diskPath, client.disk.subarray(0, SIZE_BYTES - 1));
    await expect(copy(client)).rejects.toThrow(
      "0.1 MiB that were acknowledged, and then flushed, are not in the server's",
    );
  });

  it("counts what a killed server has lost, and finds it again", async () => {
    const client = new FakeClient();
    await writeFile(diskPath, "");
    const writing = [{ atBytes: 3 * BLOCK_BYTES, outageMs: 0 }];
    const result = await copy(client, { sizeBytes: SIZE_BYTES, writing, reading: [] });
    expect(result.kills).toBe(1);
    expect(result.lostBytes).toBeGreaterThanOrEqual(3 * BLOCK_BYTES);
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
