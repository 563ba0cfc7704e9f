import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { ConnectionLost } from "../../../src/transport/connection-lost.ts";
import { HandshakeTimeout } from "../../../src/transport/handshake-timeout.ts";
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
  const connector = new Connector({ paths: [{ ...TARGET, exportName }], network, clock, pool });
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
    expect(network.dials.map(({ target }) => target)).toEqual([{ ...TARGET, exportName: "disk" }]);
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

describe("Connector with several paths", () => {
  const PATHS = [
    { endpoint: { kind: "tcp", host: "store", port: 10809 }, bindAddress: "192.0.2.7", exportName: "disk" },
    { endpoint: { kind: "unix", path: "/run/spare.sock" }, bindAddress: undefined, exportName: "spare-disk" },
  ] as const;

  function several() {
    const network = new FakeNetwork();
    const clock = new ManualClock();
    const pool = new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: 1 });
    const connector = new Connector({ paths: PATHS, network, clock, pool });
    const connect = () => {
      const ended: string[] = [];
      connector.connect({
        negotiated: () => ended.push("negotiated"),
        failed: (error) => ended.push(`${connector.server}: ${error.message}`),
      });
      return ended;
    };
    return { network, clock, connector, connect };
  }

  it("stays on the one that works, and on the one that failed as well, until it is told to turn", async () => {
    const { network, connector, connect } = several();
    expect(connector.paths).toBe(2);
    for (let turn = 0; turn < 3; turn += 1) {
      const ended = connect();
      network.lastDial.connect().say(serverHello());
      await settle();
      expect(ended).toEqual(["negotiated"]);
    }
    const refused = connect();
    network.lastDial.refuse("no");
    expect(refused).toEqual(["store:10809: no"]);
    connect();
    expect(network.dials.map(({ target }) => target)).toEqual(Array.from({ length: 5 }, () => PATHS[0]));
  });

  it("takes the next one, with its own export, when it is told to, and the first one after the last", async () => {
    const { network, connector, connect } = several();
    connect();
    connector.turn();
    expect(connector.server).toBe("unix:/run/spare.sock");
    connect();
    const stream = network.lastDial.connect();
    stream.say(serverHello());
    await settle();
    expect(stream.heard.includes("spare-disk")).toBe(true);
    connector.turn();
    connect();
    expect(network.dials.map(({ target }) => target)).toEqual([PATHS[0], PATHS[1], PATHS[0]]);
  });

  it("goes on with an attempt on the path on which it began, whatever it is told meanwhile", async () => {
    const { network, connector, connect } = several();
    connect();
    connector.turn();
    const stream = network.lastDial.connect();
    stream.say(serverHello());
    await settle();
    expect([stream.heard.includes("disk"), stream.heard.includes("spare-disk")]).toEqual([true, false]);
  });
});

describe("Connector with a server that takes connections and says nothing", () => {
  it("tells it from one that can't be reached", () => {
    const unreachable = setUp();
    unreachable.clock.advance(LIMITS.connectMs);
    const mute = setUp();
    mute.network.lastDial.connect();
    mute.clock.advance(LIMITS.handshakeMs);
    expect(unreachable.errors.map((error) => error instanceof HandshakeTimeout)).toEqual([false]);
    expect(mute.errors.map((error) => error instanceof HandshakeTimeout)).toEqual([true]);
  });
});
