import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { PlayedLifecycle } from "./played-lifecycle.ts";

describe("Lifecycle.start", () => {
  it("makes one attempt and resolves to what the server offers", async () => {
    const { lifecycle, connector, connections, log } = new PlayedLifecycle();
    const started = lifecycle.start();
    connector.succeed({ sizeBytes: 4711 });
    expect((await started).sizeBytes).toBe(4711);
    expect([connector.attempts.length, connections.length, log.lines]).toEqual([1, 1, []]);
  });

  it("rejects when that fails, and does not try again", async () => {
    const { lifecycle, connector, clock } = new PlayedLifecycle();
    const started = lifecycle.start();
    connector.fail("no route");
    await expect(started).rejects.toThrow("no route");
    clock.advance(60_000);
    expect(connector.attempts).toHaveLength(1);
  });

  it("can be called again after it failed", async () => {
    const { lifecycle, connector } = new PlayedLifecycle();
    const failed = lifecycle.start();
    connector.fail();
    await expect(failed).rejects.toThrow();
    const started = lifecycle.start();
    connector.succeed();
    await started;
  });
});

describe("Lifecycle that lost its connection", () => {
  it("dials at once, and is connected again", async () => {
    const { connector, connections, clock, log, lose } = await PlayedLifecycle.connected();
    clock.advance(3_600_000);
    lose();
    expect(connector.attempts).toHaveLength(2);
    connector.succeed();
    expect(connections).toHaveLength(2);
    expect(log.lines).toEqual([
      "warning: server store:10809: connection lost: reset",
      "debug: server store:10809: attempt 1",
      "info: server store:10809: reached after 0.0 s, attempt 1",
    ]);
  });

  it("tries again 100 ms after a refusal, for a minute, then doubles up to the maximum", async () => {
    const { connector, clock, lose } = await PlayedLifecycle.connected();
    lose();
    while (clock.nowMs() < 100_000) {
      connector.fail();
      clock.advance(clock.nextInMs ?? 100_000);
    }
    expect(connector.atMs.slice(0, 2)).toEqual([0, 0]);
    expect(connector.gapsMs.slice(0, 600)).toEqual(Array.from({ length: 600 }, () => 100));
    expect(connector.gapsMs.slice(600, 609)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
  });

  it.each([
    [0, 80],
    [1, 120],
  ])("spreads the tries: with chance %d the next is after %d ms", async (chance, delayMs) => {
    const { connector, clock, lose } = await PlayedLifecycle.connected({ chance });
    lose();
    connector.fail();
    expect(clock.nextInMs).toBeCloseTo(delayMs);
  });

  it("says once why it can't connect, until that changes, without a peer's control characters", async () => {
    const { connector, clock, log, lose } = await PlayedLifecycle.connected();
    lose();
    for (const why of ["refused", "refused", "no \u001b[31mroute\n", "refused"]) {
      connector.fail(why);
      clock.advance(100);
    }
    expect(log.of("warning").slice(1)).toEqual([
      "server store:10809: can't connect: refused; trying on",
      String.raw`server store:10809: can't connect: no \u{1b}[31mroute\n; trying on`,
      "server store:10809: can't connect: refused; trying on",
    ]);
  });

  it("does not dial in a tight loop a server that takes connections only to drop them", async () => {
    const { connector, clock, lose } = await PlayedLifecycle.connected();
    for (let count = 0; count < 50; count += 1) {
      lose();
      clock.advance(clock.nextInMs ?? 0);
      connector.succeed();
    }
    expect(connector.gapsMs).toEqual(Array.from({ length: 49 }, () => 100));
  });

  it("slows down for such a server as well, after a minute", async () => {
    const { connector, clock, lose } = await PlayedLifecycle.connected();
    while (clock.nowMs() < 120_000) {
      lose();
      clock.advance(clock.nextInMs ?? 0);
      connector.succeed();
    }
    expect(connector.gapsMs.at(-1)).toBe(5000);
  });

  it("begins a new outage, with a try at once, after the server answered", async () => {
    const { connector, clock, lifecycle, lose } = await PlayedLifecycle.connected();
    lose();
    connector.succeed();
    lifecycle.answered();
    clock.advance(50);
    lose();
    expect(connector.atMs).toEqual([0, 0, 50]);
  });

  it("begins a new outage after a connection that stood for ten seconds, though nothing was asked", async () => {
    const { connector, clock, lose } = await PlayedLifecycle.connected();
    lose();
    connector.succeed();
    clock.advance(LIMITS.provenMs - 1);
    lose();
    expect(connector.attempts).toHaveLength(2);
    clock.advance(100);
    connector.succeed();
    clock.advance(LIMITS.provenMs);
    lose();
    expect(connector.attempts).toHaveLength(4);
  });

  it("counts the time and the attempts of an outage", async () => {
    const { connector, clock, log, lose } = await PlayedLifecycle.connected();
    lose();
    for (let count = 0; count < 24; count += 1) {
      connector.fail();
      clock.advance(100);
    }
    connector.succeed();
    expect(log.lines.at(-1)).toBe("info: server store:10809: reached after 2.4 s, attempt 25");
  });

  it("refuses a stranger, keeps trying, and takes the right one when it is back", async () => {
    const { connector, connections, clock, log, lose } = await PlayedLifecycle.connected();
    lose();
    const stranger = connector.succeed({ sizeBytes: 1 });
    expect([stranger.destroyed, connections.length]).toEqual([true, 1]);
    expect(log.lines.at(-1)).toContain("can't connect: its size is 1 bytes, not 1048576; trying on");
    clock.advance(100);
    connector.succeed({ flags: ALL_FLAGS | TRANSMISSION_FLAG.READ_ONLY });
    expect(connections).toHaveLength(1);
    clock.advance(100);
    const right = connector.succeed();
    expect([right.destroyed, connections.length]).toEqual([false, 2]);
  });

  it("measures every server by the first one", async () => {
    const { connector, connections, clock, lose, lifecycle } = await PlayedLifecycle.connected();
    lose();
    connector.succeed({ flags: ALL_FLAGS | TRANSMISSION_FLAG.ROTATIONAL });
    lifecycle.answered();
    lose();
    connector.succeed({ flags: ALL_FLAGS });
    expect(connections).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  it("hears of a loss only while it is connected", async () => {
    const { connector, lose, log } = await PlayedLifecycle.connected();
    lose();
    lose();
    expect([connector.attempts.length, log.of("warning").length]).toEqual([2, 1]);
  });

  it("ignores that the server answered when there is no outage", async () => {
    const { lifecycle, clock, connector, lose } = await PlayedLifecycle.connected();
    lifecycle.answered();
    lose();
    clock.advance(0);
    expect(connector.attempts).toHaveLength(2);
  });
});

describe("Lifecycle.close", () => {
  it("ends it in every state, for good", async () => {
    const idle = new PlayedLifecycle();
    const starting = new PlayedLifecycle();
    void starting.lifecycle.start();
    const ready = await PlayedLifecycle.connected();
    const dialling = await PlayedLifecycle.connected();
    dialling.lose();
    const waiting = await PlayedLifecycle.connected();
    waiting.lose();
    waiting.connector.fail();
    for (const { lifecycle, lose, connector, clock } of [idle, starting, ready, dialling, waiting]) {
      const before = connector.attempts.length;
      lifecycle.close();
      lifecycle.close();
      lose();
      clock.advance(60_000);
      await settle();
      expect([connector.attempts.length, clock.pending]).toEqual([before, 0]);
    }
    expect([starting.connector.aborts, dialling.connector.aborts, waiting.connector.aborts]).toEqual([1, 1, 0]);
  });

  it("ignores what an attempt that it aborted says all the same", async () => {
    const { lifecycle, connector, connections, clock, lose } = await PlayedLifecycle.connected();
    lose();
    lifecycle.close();
    connector.succeed();
    connector.fail();
    expect([connections.length, clock.pending]).toEqual([1, 0]);
  });
});
