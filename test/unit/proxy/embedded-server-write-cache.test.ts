import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";

import { WriteCacheDisk } from "../../../src/disks/write-cache-disk.ts";
import { EmbeddedServer } from "../../../src/proxy/embedded-server.ts";
import { fakeSurroundings } from "../support/fake-surroundings.ts";
import { settle, until } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "flexnbd-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "disk.img");
  await writeFile(path, Buffer.alloc(8192));
  const around = fakeSurroundings();
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const disk = { kind: "file", path } as const;
  const server = new EmbeddedServer({ listen, socketMode: 0o600, exportName: "", writeCache: true, disk }, around);
  await server.start();
  const client = await new TestClient(around.network.client()).join();
  client.write(100, Buffer.from("to stay"));
  await settle();
  expect(client.replies).toHaveLength(1);
  const stored = async (): Promise<string> => (await readFile(path)).toString("latin1", 100, 107);
  expect(await stored()).toBe("\0".repeat(7));
  const stop = async (): Promise<void> => {
    client.disconnect();
    await settle();
    client.stream.drop();
    await server.stop();
  };
  return { ...around, client, stored, stop };
}

it("an EmbeddedServer with a write cache has in its file what was flushed", async () => {
  const { client, stored, stop } = await setUp();
  client.ask({ command: 3 });
  await until("it is flushed", () => client.replies.length === 2);
  expect(await stored()).toBe("to stay");
  await stop();
});

it("an EmbeddedServer with a write cache has all in its file when it has stopped", async () => {
  const { stored, stop, log } = await setUp();
  await stop();
  expect(await stored()).toBe("to stay");
  expect(log.of("error")).toEqual([]);
});

it("an EmbeddedServer with a write cache says so when it could not empty it", async () => {
  const { stop, log } = await setUp();
  const flush = vi.spyOn(WriteCacheDisk.prototype, "flush").mockResolvedValue(28);
  onTestFinished(() => flush.mockRestore());
  await stop();
  expect(log.of("error")).toEqual(["what was not flushed is lost: the disk failed with NBD error 28"]);
});
