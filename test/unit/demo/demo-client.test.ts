import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { DemoClient } from "../../../src/demo/demo-client.ts";
import type { Endpoint } from "../../../src/ports/network.ts";
import { EmbeddedServer } from "../../../src/proxy/embedded-server.ts";
import { realSurroundings } from "../../../src/proxy/real-surroundings.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";

const around = realSurroundings("fatal");

async function startServer(): Promise<{ readonly server: EmbeddedServer; readonly endpoint: Endpoint }> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const listen: Endpoint = { kind: "unix", path: join(folder, "sock") };
  const disk = { kind: "memory", sizeBytes: 65_536 } as const;
  const server = new EmbeddedServer({ listen, socketMode: 0o600, disk, exportName: "", writeCache: false }, around);
  const endpoint = await server.start();
  onTestFinished(() => server.stop());
  return { server, endpoint };
}

function connect(endpoint: Endpoint): Promise<DemoClient> {
  const pool = new SlabPool({ slabBytes: 65_536, idleSlabs: 1 });
  return DemoClient.connect({ ...around, pool, paths: [{ endpoint, bindAddress: undefined, exportName: "" }] });
}

function payload(text: string): Slice {
  return new Slice(new Slab(Buffer.from(text)), 0, text.length, 0);
}

describe("the client of the demo", () => {
  it("reads what it wrote, and zeros elsewhere", async () => {
    const { endpoint } = await startServer();
    const client = await connect(endpoint);
    await client.write(4096, payload("hello"));
    await client.flush();
    expect((await client.read(4095, 7)).toString()).toBe("\0hello\0");
    expect(client.inFlight).toBe(0);
    expect(client.longestWaitMs).toBeGreaterThan(0);
    await client.disconnect();
  });

  it("rejects with the server's error", async () => {
    const { endpoint } = await startServer();
    const client = await connect(endpoint);
    await expect(client.read(65_536, 1)).rejects.toThrow("EINVAL");
    await client.disconnect();
  });

  it("does not reconnect: without its connection every request rejects", async () => {
    const { server, endpoint } = await startServer();
    const client = await connect(endpoint);
    await client.read(0, 1);
    await server.stop();
    await expect(client.read(0, 1)).rejects.toThrow("the client's connection was lost");
    await expect(client.flush()).rejects.toThrow("the client's connection was lost");
  });

  it("rejects what is under way when it leaves at once", async () => {
    const { endpoint } = await startServer();
    const client = await connect(endpoint);
    const read = client.read(0, 1);
    client.abort();
    await expect(read).rejects.toThrow("the client has left");
  });

  it("can't be made where nobody listens", async () => {
    await expect(connect({ kind: "unix", path: join(tmpdir(), "nobody-listens-here") })).rejects.toThrow("ENOENT");
  });
});
