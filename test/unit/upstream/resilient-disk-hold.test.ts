import { describe, expect, it } from "vitest";

import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";

const HOLD_MS = 30_000;

function open() {
  return ResilientWorld.open({ holdTimeoutMs: HOLD_MS });
}

describe("ResilientDisk without a hold timeout", () => {
  it("holds requests for as long as it takes", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const asked = request({ text: "patient" });
    handle.submit(asked);
    await server.drop();
    world.network.onDial = (dial) => dial.refuse();
    await world.refuse();
    for (let hour = 0; hour < 100; hour += 1) {
      world.clock.advance(3_600_000);
      await settle();
    }
    expect(asked.answers).toEqual([]);
    world.network.onDial = undefined;
    world.clock.advance(10_000);
    const next = await world.reconnect();
    await next.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
  });
});

describe("ResilientDisk with a hold timeout", () => {
  it("answers what it holds with EIO when it is over, and never sends it later", async () => {
    const { world, server, handle } = await open();
    const sent = request({ text: "sent" });
    handle.submit(sent);
    await server.drop();
    const held = request({ offset: 50, length: 4 });
    handle.submit(held);
    // Nobody answers the attempt under way; it is given up and made again.
    world.clock.advance(HOLD_MS - 1);
    expect([sent, held].map(({ answers }) => answers)).toEqual([[], []]);
    world.clock.advance(1);
    expect([sent, held].map(({ answers }) => answers.map(({ error }) => error))).toEqual([[5], [5]]);
    expect(world.log.of("error")).toEqual(["no server for 30 s: answering 2 held requests, and new ones, with EIO"]);
    const next = await world.reconnectAfterWait();
    expect(next.heard).toEqual([]);
  });

  it("answers new requests with EIO at once from then on, until the server is back", async () => {
    const { world, server, handle } = await open();
    await server.drop();
    world.clock.advance(HOLD_MS);
    const refused = request({ text: "too late" });
    handle.submit(refused);
    expect(refused.answers.map(({ error }) => error)).toEqual([NBD_ERROR.EIO]);
    const next = await world.reconnectAfterWait();
    const asked = request({ text: "in time" });
    handle.submit(asked);
    await settle();
    await next.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
  });

  it("holds no longer when the server is back in time", async () => {
    const { world, server, handle } = await open();
    const asked = request({ text: "x" });
    handle.submit(asked);
    await server.drop();
    world.clock.advance(1000);
    const next = await world.reconnectAfterWait();
    world.clock.advance(10 * HOLD_MS);
    expect(asked.answers).toEqual([]);
    await next.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
    expect(world.log.of("error")).toEqual([]);
  });

  it("keeps what was acknowledged, and writes it when the server is back", async () => {
    const { world, server, handle } = await open();
    handle.submit(request({ text: "acknowledged" }));
    await settle();
    await server.answer(0);
    handle.submit(request({ text: "given up", offset: 50 }));
    await settle();
    await server.drop();
    world.clock.advance(HOLD_MS);
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    expect(next.heard).toEqual(["1@0+12", "3@0+0"]);
    await next.answer(1);
    expect(world.disk.status).toMatchObject({ unflushedBytes: 0, discardedBytes: 0 });
  });

  it("lets requests in to be refused, though the memory is full of what was acknowledged", async () => {
    const { world, server, handle } = await open();
    handle.submit(request({ text: "acknowledged" }));
    await settle();
    await server.answer(0);
    await server.drop();
    expect(world.budget.keptBytes).toBeGreaterThan(0);
    world.clock.advance(HOLD_MS);
    expect(world.budget.keptBytes).toBe(0);
    await world.reconnectAfterWait();
    expect(world.budget.keptBytes).toBeGreaterThan(0);
  });

  it("counts no replay for an answer: whoever waits still waits", async () => {
    const { world, server, handle } = await open();
    const asked = request({ text: "waits", offset: 50 });
    handle.submit(request({ text: "acknowledged" }));
    handle.submit(asked);
    await settle();
    await server.answer(0);
    await server.drop();
    world.clock.advance(HOLD_MS - 1000);
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    await next.drop();
    world.clock.advance(1000);
    expect(asked.answers.map(({ error }) => error)).toEqual([NBD_ERROR.EIO]);
  });

  it("goes on counting when a server comes back, answers nothing, and goes again", async () => {
    const { world, server, handle } = await open();
    const asked = request({ text: "x" });
    handle.submit(asked);
    await server.drop();
    world.clock.advance(HOLD_MS - 1000);
    const silent = await world.reconnectAfterWait();
    await silent.drop();
    world.clock.advance(1000);
    expect(asked.answers.map(({ error }) => error)).toEqual([NBD_ERROR.EIO]);
  });

  it("counts anew after an answer", async () => {
    const { world, server, handle } = await open();
    const [one, other] = [request({ text: "x" }), request({ text: "y", offset: 9 })];
    handle.submit(one);
    handle.submit(other);
    await server.drop();
    world.clock.advance(HOLD_MS - 1000);
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    await next.drop();
    world.clock.advance(HOLD_MS - 1);
    expect([one, other].map(({ answers }) => answers.length)).toEqual([1, 0]);
    world.clock.advance(1);
    expect(other.answers.map(({ error }) => error)).toEqual([NBD_ERROR.EIO]);
  });

  it("does not count a time in which the server was there and nothing was asked", async () => {
    const { world, server, handle } = await open();
    await server.drop();
    const next = await world.reconnect();
    world.clock.advance(100 * HOLD_MS);
    const asked = request({ text: "x" });
    handle.submit(asked);
    await settle();
    await next.drop();
    world.clock.advance(1000);
    expect(asked.answers).toEqual([]);
    const last = await world.reconnectAfterWait();
    await last.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
  });
});
