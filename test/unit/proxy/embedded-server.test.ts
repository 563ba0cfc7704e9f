import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { EmbeddedServer, type EmbeddedServerOptions } from "../../../src/proxy/embedded-server.ts";
import { fakeSurroundings } from "../support/fake-surroundings.ts";
import { settle, until } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";

function setUp(disk: EmbeddedServerOptions["disk"]) {
  const around = fakeSurroundings();
  const options = {
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    socketMode: 0o600,
    exportName: "disk",
    writeCache: false,
    disk,
  } as const;
  return { ...around, server: new EmbeddedServer(options, around) };
}

describe("EmbeddedServer", () => {
  it("serves memory to several clients at once", async () => {
    const { server, network, log, clock } = setUp({ kind: "memory", sizeBytes: 4096 });
    expect(await server.start()).toEqual({ kind: "tcp", host: "127.0.0.1", port: 4711 });
    expect(log.of("info")).toEqual(["serving 4096 bytes on 127.0.0.1:4711"]);
    const [one, other] = [
      await new TestClient(network.client()).join("disk"),
      await new TestClient(network.client()).join(),
    ];
    one.write(8, Buffer.from("shared"));
    other.read(8, 6);
    await settle();
    expect(other.replies[0]?.data.toString()).toBe("shared");
    // CAN_MULTI_CONN: greeting, header of the INFO reply, its type, the size, the flags.
    expect(one.stream.heard.readUInt16BE(18 + 20 + 2 + 8) & 0x100).toBe(0x100);
    await server.stop();
    for (const { stream } of [one, other]) stream.sayEnd();
    await settle();
    expect([one.stream.closed, clock.pending, network.listening]).toEqual([true, 0, undefined]);
  });

  it("serves a file, and has closed it when it has stopped", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flexnbd-"));
    const path = join(folder, "disk.img");
    await writeFile(path, Buffer.alloc(8192));
    const { server, network } = setUp({ kind: "file", path });
    await server.start();
    const client = await new TestClient(network.client()).join();
    client.ask({ command: 1, flags: 1, offset: 100, payload: Buffer.from("to stay") });
    await until("it is written", () => client.replies.length === 1);
    client.disconnect();
    await settle();
    client.stream.drop();
    await server.stop();
    expect((await readFile(path)).toString("latin1", 100, 107)).toBe("to stay");
    await rm(folder, { recursive: true });
  });

  it("rejects when the file can't be had", async () => {
    const { server, network } = setUp({ kind: "file", path: join(tmpdir(), "flexnbd-no-such-file") });
    await expect(server.start()).rejects.toThrow("flexnbd-no-such-file");
    expect(network.listening).toBeUndefined();
    await server.stop();
  });
});
