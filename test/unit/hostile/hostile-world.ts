import { expect } from "vitest";

import type { ProxyOptions } from "../../../src/proxy/proxy.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import { diskBytes } from "../support/held-disk.ts";
import type { serverHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { PlayedServer } from "../upstream/served-upstream.ts";
import { setUp } from "../proxy/started-proxy.ts";

type World = ReturnType<typeof setUp>;

/** A proxy between attackers and an honest server, or an honest client and a bad server; the honest ones are witnesses. */
export class HostileWorld {
  readonly network: World["network"];
  readonly clock: World["clock"];
  readonly log: World["log"];
  readonly proxy: World["proxy"];
  server: PlayedServer;
  readonly witness: TestClient;
  #asked = 0;

  private constructor(world: World, server: PlayedServer, witness: TestClient) {
    this.network = world.network;
    this.clock = world.clock;
    this.log = world.log;
    this.proxy = world.proxy;
    this.server = server;
    this.witness = witness;
  }

  /** A proxy with an honest server and an honest client. */
  static async open(
    options: Partial<ProxyOptions> = {},
    hello: Parameters<typeof serverHello>[0] = {},
  ): Promise<HostileWorld> {
    const world = setUp({ maxClients: 8, ...options });
    const starting = world.proxy.start();
    const server = await PlayedServer.on(world.network.lastDial, hello);
    await starting;
    return new HostileWorld(world, server, await new TestClient(world.network.client("witness")).join());
  }

  /** A client that has been greeted and has said nothing. */
  async attacker(): Promise<FakeStream> {
    const stream = this.network.client("attacker");
    await settle();
    stream.listen();
    return stream;
  }

  /** The warnings about the attacker. */
  get complaints(): string[] {
    return this.log.of("warning").filter((line) => line.includes("attacker"));
  }

  /** The honest client reads, and gets what the server has there, over the connection that it always had. */
  async expectUnharmed(): Promise<void> {
    await this.expectServed();
    expect([this.network.dials.length, this.server.stream.destroyed]).toEqual([1, false]);
  }

  /** The honest client reads, and gets what the server has there. */
  async expectServed(): Promise<void> {
    this.#asked += 1;
    const offset = 512 * (this.#asked % 1000);
    const cookie = this.witness.read(offset, 512);
    await settle();
    // A FLUSH of the proxy's own may have come after it.
    const asked = this.server.requests.findLastIndex((request) => request.offset === BigInt(offset));
    await this.server.answer(asked, 0, diskBytes(offset, 512));
    const replies = this.witness.replies.filter((reply) => reply.cookie === cookie);
    expect(replies).toEqual([{ error: 0, cookie, data: diskBytes(offset, 512) }]);
  }

  /** Lets time pass until the proxy dials, and takes the call; `hello` is what this server says. */
  async nextServer(hello?: Parameters<typeof serverHello>[0]): Promise<PlayedServer> {
    await this.untilDialled();
    this.server = await PlayedServer.on(this.network.lastDial, hello);
    return this.server;
  }

  /** Lets time pass until the proxy dials. */
  async untilDialled(): Promise<void> {
    const before = this.network.dials.length;
    for (let turn = 0; turn < 100 && this.network.dials.length === before; turn += 1) {
      this.clock.advance(this.clock.nextInMs ?? 0);
      await settle();
    }
    expect(this.network.dials.length, "the proxy dials").toBe(before + 1);
  }
}
