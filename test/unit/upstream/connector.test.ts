import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { ConnectionLost } from "../../../src/transport/connection-lost.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Connector } from "../../../src/upstream/connector.ts";
import type { Negotiated } from "../../../src/upstream/upstream-session.ts";
import { FakeNetwork } from "../support/fake-network.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { clientHello, serverHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";

const TARGET = { endpoint: { kind: "tcp", host: "store.example", port: 10809 }, bindAddress: "192.0.2.7" } as const;

function setUp(exportName = "") {
  const network = new FakeNetwork();
  const clock = new ManualClock();
  const pool = new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: 1 });
  const connector = new Connector({ target: TARGET, exportName, network, clock, pool });
  const connections: Negotiated[] = [];
  const errors: Error[] = [];
  const attempt = connector.connect({
    negotiated: (connection) => connections.push(connection),
    failed: (error) => errors.push(error),
  });
  return { network, clock, pool, attempt, connections, errors };
}

describe("Connector", () => {
  it("dials its target and negotiates its export", async () => {
    const { network, clock, connections, errors } = setUp("disk");
    expect(network.dials.map(({ target }) => target)).toEqual([TARGET]);
    const stream = network.lastDial.connect();
    stream.say(serverHello({ sizeBytes: 12_345, blocks: [512, 4096, 65_536] }));
    await settle();
    expect(stream.heard.subarray(0, 4)).toEqual(clientHello("disk").subarray(0, 4));
    expect(stream.heard.includes("disk")).toBe(true);
    expect(errors).toEqual([]);
    expect(connections).toHaveLength(1);
    expect(connections[0]?.stream).toBe(stream);
    expect(connections[0]?.geometry).toMatchObject({
      sizeBytes: 12_345,
      minimumBlockBytes: 512,
      maximumPayloadBytes: 65_536,
    });
    expect(clock.pending).toBe(0);
  });

  it("passes on why dialling failed", () => {
    const { network, clock, errors } = setUp();
    network.lastDial.refuse("connect ECONNREFUSED");
    expect(errors.map(({ message }) => message)).toEqual(["connect ECONNREFUSED"]);
    expect(clock.pending).toBe(0);
  });

  it("gives up a connection that does not come about in time", () => {
    const { network, clock, errors } = setUp();
    clock.advance(LIMITS.connectMs - 1);
    expect(errors).toEqual([]);
    clock.advance(1);
    expect(errors).toEqual([new ConnectionLost("no connection within 2 s")]);
    expect([network.lastDial.aborted, clock.pending]).toEqual([true, 0]);
  });

  it("gives up a handshake that is not over in time, counted from the connection", async () => {
    const { network, clock, errors } = setUp();
    clock.advance(LIMITS.connectMs - 1);
    const stream = network.lastDial.connect();
    stream.say(serverHello().subarray(0, -1));
    clock.advance(LIMITS.handshakeMs - 1);
    await settle();
    expect(errors).toEqual([]);
    clock.advance(1);
    expect(errors).toEqual([new ConnectionLost("no complete handshake within 10 s")]);
    expect(stream.destroyed).toBe(true);
  });

  it("closes a connection to something that is no NBD server", async () => {
    const { network, pool, errors, connections } = setUp();
    const stream = network.lastDial.connect();
    stream.say(Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"));
    await settle();
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain("this is no NBD server");
    expect([connections, stream.closed, pool.heldBytes]).toEqual([[], true, 0]);
  });

  it("reports a server that closes during the handshake, once", async () => {
    const { network, errors } = setUp();
    const stream = network.lastDial.connect();
    stream.say(serverHello().subarray(0, 18));
    stream.sayEnd();
    await settle();
    expect(errors).toEqual([new ConnectionLost("the connection ended during the handshake")]);
  });

  it("tells nobody any more when it is aborted, while dialling and while negotiating", async () => {
    const dialling = setUp();
    dialling.attempt.abort();
    expect([dialling.network.lastDial.aborted, dialling.clock.pending]).toEqual([true, 0]);
    dialling.clock.advance(60_000);

    const negotiating = setUp();
    const stream = negotiating.network.lastDial.connect();
    negotiating.attempt.abort();
    stream.say(serverHello());
    await settle();
    negotiating.clock.advance(60_000);
    expect([stream.destroyed, negotiating.pool.heldBytes]).toEqual([true, 0]);
    for (const { errors, connections } of [dialling, negotiating]) expect([errors, connections]).toEqual([[], []]);
  });
});
