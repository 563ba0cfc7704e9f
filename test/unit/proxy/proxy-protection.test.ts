import { describe, expect, it } from "vitest";

import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { PlayedServer, serve } from "../upstream/served-upstream.ts";
import { setUp, started } from "./started-proxy.ts";

// What protects writes, from the client to the server and back.

const KIB = 1024;

/** Answers what comes at the server, in order and with success. */
class Answering {
  readonly #server: PlayedServer;
  readonly #answered = new Set<number>();

  constructor(server: PlayedServer) {
    this.#server = server;
  }

  /** The commands that were not answered. */
  get held(): number[] {
    return this.#server.requests.flatMap(({ command }, index) => (this.#answered.has(index) ? [] : [command]));
  }

  /** Answers everything, and what comes because of that, except these commands. */
  async answerAllBut(...commands: readonly number[]): Promise<void> {
    const next = (): number =>
      this.#server.requests.findIndex(({ command }, at) => !this.#answered.has(at) && !commands.includes(command));
    for (let index = next(); index >= 0; index = next()) {
      this.#answered.add(index);
      await this.#server.answer(index);
    }
  }
}

describe("Proxy that keeps unflushed writes", () => {
  it("reads no more from its clients when the memory is used up, until the server has flushed", async () => {
    const { proxy, network } = setUp({ unflushedLimitBytes: 1024 * KIB });
    const starting = proxy.start();
    const server = new Answering(await serve(network, { sizeBytes: 16 * 1024 * KIB }));
    await starting;
    const client = await new TestClient(network.client()).join();
    for (let index = 0; index < 40; index += 1) client.write(index * 64 * KIB, Buffer.alloc(64 * KIB, index));
    await settle();
    await server.answerAllBut(COMMAND.FLUSH);
    // The first FLUSH was sent at half of it, and nothing is given back before that is answered.
    expect(server.held).toEqual([COMMAND.FLUSH]);
    expect(client.replies.length).toBeGreaterThanOrEqual(8);
    expect(client.replies.length).toBeLessThanOrEqual(16);
    expect(client.stream.paused).toBe(true);
    await server.answerAllBut();
    expect(client.replies).toHaveLength(40);
    expect(client.replies.every(({ error }) => error === 0)).toBe(true);
  });

  it("writes again what a server that lost its cache had acknowledged, before its client notices anything", async () => {
    const { network, clock, server, log } = await started();
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("acknowledged"));
    await settle();
    await server.answer(0);
    await server.drop();
    client.ask({ command: COMMAND.FLUSH });
    client.read(0, 4);
    clock.advance(0);
    const next = await PlayedServer.on(network.lastDial);
    expect(next.heard).toEqual(["1@0+12"]);
    expect(String(next.requests[0]?.payload)).toBe("acknowledged");
    await next.answer(0);
    expect(next.heard.slice(1)).toEqual(["0@0+4", "3@0+0"]);
    await next.answer(2);
    await next.answer(1, 0, Buffer.from("ackn"));
    expect(client.answers).toEqual([
      [1n, 0],
      [2n, 0],
      [3n, 0],
    ]);
    expect(log.of("warning").at(-1)).toBe(
      "server store:10809: connected again after 0.0 s, attempt 1: " +
        "0 requests sent again, 12 bytes replayed, 0 bytes pinned",
    );
  });

  it("is told not to, with --unflushed=off", async () => {
    const { network, clock, server } = await started({ unflushed: "off", pinMs: 0 });
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("acknowledged"));
    await settle();
    await server.answer(0);
    await server.drop();
    clock.advance(0);
    const next = await PlayedServer.on(network.lastDial);
    expect(next.heard).toEqual([]);
  });

  it("has every write stored before it is answered, with --unflushed=fua", async () => {
    const { network, server } = await started({ unflushed: "fua" });
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("plain"));
    await settle();
    expect(server.requests.map(({ flags }) => flags)).toEqual([1]);
  });

  it("sends no write twice, with --shared", async () => {
    const { network, clock, server } = await started({ shared: true, unflushed: "off", pinMs: 0 });
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("under way"));
    await settle();
    await server.drop();
    expect(client.answers).toEqual([[1n, NBD_ERROR.EIO]]);
    clock.advance(0);
    const next = await PlayedServer.on(network.lastDial);
    expect(next.heard).toEqual([]);
  });

  it("goes on only when the server itself ended the connection, with --fence=strict", async () => {
    const { network, clock, server } = await started({ fence: "strict" });
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("under way"));
    await settle();
    clock.advance(30_000);
    clock.advance(0);
    const next = await PlayedServer.on(network.lastDial);
    clock.advance(10_000);
    await settle();
    expect(next.heard).toEqual([]);
    server.stream.sayEnd();
    await settle();
    expect(next.heard).toEqual(["1@0+9"]);
  });

  it("gives clients what the export has become while nobody was there", async () => {
    const { network, clock, server } = await started();
    const first = await new TestClient(network.client()).join();
    first.disconnect();
    first.stream.sayEnd();
    await settle();
    await server.drop();
    clock.advance(0);
    await PlayedServer.on(network.lastDial, { sizeBytes: 4096 });
    const client = await new TestClient(network.client()).join();
    // Greeting, then the header of the INFO reply, its type, the size.
    expect(client.stream.heard.readBigUInt64BE(18 + 20 + 2)).toBe(4096n);
  });
});
