import { describe, expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint } from "./support/chain.ts";
import { isListening } from "./support/endpoints.ts";
import { FakeServer } from "./support/fake-server.ts";
import { startNbdServer } from "./support/nbd-server-server.ts";
import { listenArgs, serverArgs, startProgram } from "./support/proxy-process.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";

const FATAL_LINE = /^\d+:F:\d+ \d+ src\/[\w/-]+\.ts:\d+: .+\n$/;

describe("a start without a server", () => {
  it.each([
    ["tcp", [], /ECONNREFUSED/],
    ["tcp", ["--quiet"], /ECONNREFUSED/],
    ["unix", ["--verbose"], /ENOENT/],
  ] as const)("ends with one line and status 1 (%s, %j)", async (kind, args, reason) => {
    const here = await newEndpoint("unix");
    const there = await newEndpoint(kind);
    const proxy = startProgram([...listenArgs(here), ...serverArgs(there), ...args]);
    expect(await proxy.exited()).toEqual({ status: 1, signal: null });
    expect(proxy.stderr).toMatch(FATAL_LINE);
    expect(proxy.stderr).toMatch(reason);
    expect(proxy.stdout).toBe("");
  });

  it("is the same when what answers is no NBD server", async () => {
    const greet = ({ socket }: { socket: { end(text: string): void } }): boolean => {
      socket.end("220 mail.example ESMTP\r\n");
      return true;
    };
    const server = await FakeServer.start(await newEndpoint("unix"), { greet });
    const proxy = startProgram([...listenArgs(await newEndpoint("unix")), ...serverArgs(server.endpoint)]);
    expect(await proxy.exited()).toEqual({ status: 1, signal: null });
    expect(proxy.stderr).toMatch(FATAL_LINE);
  });

  it("is the same when the address to listen on is taken", async () => {
    const server = await FakeServer.start(await newEndpoint("tcp"));
    const taken = await FakeServer.start(await newEndpoint("tcp"));
    const proxy = startProgram([...listenArgs(taken.endpoint), ...serverArgs(server.endpoint)]);
    expect(await proxy.exited()).toEqual({ status: 1, signal: null });
    expect(proxy.stderr).toMatch(FATAL_LINE);
    expect(proxy.stderr).toContain("EADDRINUSE");
    expect(server.commands).toContain(wire.DISC);
  });
});

requires("nbd-server")("a start with an export that the server does not have", () => {
  it("ends with one line that says so, and status 1", async () => {
    const { path } = await randomFile(4096);
    const server = await startNbdServer({ path });
    const proxy = startProgram([
      ...listenArgs(await newEndpoint("unix")),
      ...serverArgs(server.endpoint),
      "--export",
      "no-such-disk",
    ]);
    expect(await proxy.exited()).toEqual({ status: 1, signal: null });
    expect(proxy.stderr).toMatch(FATAL_LINE);
    expect(proxy.stderr).toContain("no-such-disk");
  });
});

describe("the listening socket", () => {
  it.each(["tcp", "unix"] as const)("opens only after the handshake with the server (%s)", async (kind) => {
    let greetNow = (): void => undefined;
    const mayGreet = new Promise<void>((resolve) => (greetNow = resolve));
    const greet = async (): Promise<boolean> => {
      await mayGreet;
      return false;
    };
    const server = await FakeServer.start(await newEndpoint("unix"), { greet });
    const here = await newEndpoint(kind);
    const proxy = startProgram([...listenArgs(here), ...serverArgs(server.endpoint), "--verbose"]);
    await proxy.until("to connect to the server", () => server.connections === 1);
    expect(await isListening(here)).toBe(false);
    greetNow();
    await proxy.untilStderr(/server .*: connected, [^]*listening on /);
    expect(await proxy.stop()).toEqual({ status: 0, signal: null });
  });
});
