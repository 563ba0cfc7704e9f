import { describe, expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FAKE_BYTE, FakeServer } from "./support/fake-server.ts";
import type { FakeConnection } from "./support/fake-server.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";

const DEPTH = 16;

describe("ESHUTDOWN", () => {
  it("never reaches the client: the request is sent again over the next connection", async () => {
    const answer = ({ socket, number }: FakeConnection, request: wire.WireRequest): boolean => {
      if (number > 1 || request.command !== wire.READ) return false;
      socket.write(wire.simpleReply(wire.ESHUTDOWN, request.cookie));
      return true;
    };
    const server = await FakeServer.start(await newEndpoint("unix"), { answer });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    const answers = await Promise.all(Array.from({ length: DEPTH }, (_, index) => client.read(index * 512, 512)));
    for (const data of answers) expect(data.equals(Buffer.alloc(512, FAKE_BYTE))).toBe(true);
    expect(proxy.process.stderr).toContain("the server is shutting down");
    // The old connection was ended with a DISC.
    expect(server.commands).toContain(wire.DISC);
    await client.disconnect();
  });
});

requires("nbdkit")("while nbdkit is told to end again and again, the proxy", () => {
  it("passes no error on", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    const stop = new AbortController();
    let answers = 0;
    const keepReading = async (): Promise<void> => {
      // It throws at the first error.
      for (; !stop.signal.aborted; answers++) await client.read(0, 4096);
    };
    const readers = Promise.all(Array.from({ length: DEPTH }, keepReading));
    for (let round = 0; round < 5; round++) {
      const before = answers;
      await client.read(0, 512);
      await server.stop("SIGTERM");
      await server.start();
      await client.read(0, 512);
      expect(answers).toBeGreaterThan(before);
    }
    stop.abort();
    await readers;
    await client.disconnect();
  });
});
