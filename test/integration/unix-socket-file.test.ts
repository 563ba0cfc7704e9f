import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";

import type { Endpoint } from "../../src/ports/network.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { listenArgs, serverArgs, startProgram, startProxy } from "./support/proxy-process.ts";

async function socketAt(): Promise<Endpoint & { kind: "unix" }> {
  const endpoint = await newEndpoint("unix");
  if (endpoint.kind !== "unix") throw new Error("asked for a UNIX socket");
  return endpoint;
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}

describe("the UNIX socket that the proxy listens on", () => {
  it("is for its owner only, unless --socket-mode says otherwise", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const closed = await socketAt();
    await startProxy(closed, [...listenArgs(closed), ...serverArgs(server.endpoint)]);
    expect(await modeOf(closed.path)).toBe(0o600);
    const open = await socketAt();
    await startProxy(open, [...listenArgs(open), ...serverArgs(server.endpoint), "--socket-mode", "0666"]);
    expect(await modeOf(open.path)).toBe(0o666);
    // Nothing else is left in the folder.
    expect(await readdir(dirname(open.path))).toEqual(["socket"]);
  });

  it("takes the place of a dead one", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const endpoint = await socketAt();
    const args = [...listenArgs(endpoint), ...serverArgs(server.endpoint)];
    const killed = await startProxy(endpoint, args);
    await killed.stop("SIGKILL");
    const { ino } = await stat(endpoint.path);
    await startProxy(endpoint, args);
    expect((await stat(endpoint.path)).ino).not.toBe(ino);
    await (await PlainClient.connect(endpoint)).read(0, 512);
  });

  it("is not taken from a proxy that lives", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const { endpoint } = await proxyTo(server);
    const second = startProgram([...listenArgs(endpoint), ...serverArgs(server.endpoint)]);
    expect(await second.exited()).toEqual({ status: 1, signal: null });
    expect(second.stderr).toMatch(/^\d+:F:.*already listening on .*\n$/);
    await (await PlainClient.connect(endpoint)).read(0, 512);
  });

  it.each(["file", "folder"])("does not replace a %s", async (what) => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const endpoint = await socketAt();
    await (what === "file" ? writeFile(endpoint.path, "precious") : mkdir(endpoint.path));
    const proxy = startProgram([...listenArgs(endpoint), ...serverArgs(server.endpoint)]);
    expect(await proxy.exited()).toEqual({ status: 1, signal: null });
    expect(proxy.stderr).toMatch(/^\d+:F:.*is not a socket\n$/);
    expect((await stat(endpoint.path)).isSocket()).toBe(false);
  });
});
