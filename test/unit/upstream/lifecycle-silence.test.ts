import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { settle } from "../support/settle.ts";
import { PlayedLifecycle } from "./played-lifecycle.ts";

// A silent connection is no dead one: it is kept while the next one, the candidate, is reached beside it.

describe("Lifecycle whose connection is silent", () => {
  it("dials a candidate beside it, and keeps it", async () => {
    const { connector, connections, givenUp, inUse, log } = await PlayedLifecycle.doubted();
    expect([connector.attempts.length, connections.length, givenUp, inUse.destroyed]).toEqual([2, 1, [], false]);
    expect(log.of("warning")).toEqual([
      "server store:10809: silent while requests wait; connecting a second time beside it",
    ]);
  });

  it("has one candidate at most, however often it hears of the silence", async () => {
    const played = await PlayedLifecycle.doubted();
    played.silent();
    played.silent();
    expect(played.connector.attempts).toHaveLength(2);
  });

  it.each([
    ["refused", "connect ECONNREFUSED"],
    ["unreachable", "no connection within 2 s"],
  ])("keeps it for ever while the candidate is %s, and tries again", async (_name, why) => {
    const { connector, clock, givenUp, connections, inUse } = await PlayedLifecycle.doubted();
    for (let turn = 0; turn < 2000; turn += 1) {
      connector.fail(why);
      clock.advance(clock.nextInMs ?? 0);
    }
    expect(clock.nowMs()).toBeGreaterThan(3_600_000);
    expect([givenUp, connections.length, inUse.destroyed]).toEqual([[], 1, false]);
    expect(connector.gapsMs.slice(0, 600)).toEqual(Array.from({ length: 600 }, () => 100));
    expect(connector.gapsMs.at(-1)).toBe(5000);
  });

  it("gives it up when the candidate is ready and it is silent for another ten seconds, and uses the candidate", async () => {
    const { connector, clock, givenUp, connections, log } = await PlayedLifecycle.doubted();
    clock.advance(1234);
    const candidate = connector.succeed();
    clock.advance(LIMITS.patienceMs - 1);
    expect([givenUp, connections.length]).toEqual([[], 1]);
    clock.advance(1);
    expect(givenUp).toEqual(["silent for another 10 s beside a connection that works"]);
    expect(connections.map(({ stream }) => stream)[1]).toBe(candidate);
    expect([connector.attempts.length, candidate.destroyed, clock.pending]).toEqual([2, false, 0]);
    expect(log.lines.slice(-2)).toEqual([
      "warning: server store:10809: connection lost: silent for another 10 s beside a connection that works",
      "info: server store:10809: reached after 0.0 s, attempt 1",
    ]);
  });

  it("begins the ten seconds again when the candidate was lost and another one is ready", async () => {
    const { connector, clock, givenUp } = await PlayedLifecycle.doubted();
    connector.succeed().drop();
    await settle();
    clock.advance(LIMITS.patienceMs - 1);
    expect(connector.attempts).toHaveLength(3);
    connector.succeed();
    clock.advance(LIMITS.patienceMs - 1);
    expect(givenUp).toEqual([]);
    clock.advance(1);
    expect(givenUp).toHaveLength(1);
  });

  it("drops the candidate when it is heard again, at whatever stage that is", async () => {
    const dialling = await PlayedLifecycle.doubted();
    const waiting = await PlayedLifecycle.doubted();
    waiting.connector.fail();
    const ready = await PlayedLifecycle.doubted();
    const candidate = ready.connector.succeed();
    for (const played of [dialling, waiting, ready]) {
      const { lifecycle, clock, givenUp, connections, log, connector } = played;
      const before = connector.attempts.length;
      clock.advance(50);
      lifecycle.heardAgain();
      lifecycle.heardAgain();
      clock.advance(60_000);
      expect([givenUp, connections.length, connector.attempts.length, clock.pending]).toEqual([[], 1, before, 0]);
      expect(log.of("warning").at(-1)).toBe("server store:10809: heard again; keeping the connection");
    }
    expect([dialling.connector.aborts, candidate.destroyed]).toEqual([1, true]);
  });

  it("can be doubted again, and again", async () => {
    const played = await PlayedLifecycle.doubted();
    for (let turn = 0; turn < 3; turn += 1) {
      played.connector.succeed();
      played.lifecycle.heardAgain();
      played.clock.advance(60_000);
      played.silent();
    }
    expect([played.connector.attempts.length, played.givenUp]).toEqual([5, []]);
  });

  it("names the server in use when it is heard again, though the search has gone on to another path", async () => {
    const played = await PlayedLifecycle.doubted({ paths: 2 });
    played.refuse();
    expect(played.connector.servers).toEqual(["store:10809", "store:10809", "spare:10809"]);
    played.lifecycle.heardAgain();
    played.lose();
    expect(played.log.of("warning").slice(-2)).toEqual([
      "server store:10809: heard again; keeping the connection",
      "server store:10809: connection lost: reset",
    ]);
  });
});

describe("Lifecycle whose silent connection dies", () => {
  it("uses the candidate at once when it is ready", async () => {
    const { connector, clock, connections, lose, givenUp } = await PlayedLifecycle.doubted();
    const candidate = connector.succeed();
    clock.advance(10);
    lose();
    expect(connections[1]?.stream).toBe(candidate);
    expect([connector.attempts.length, givenUp, clock.pending]).toEqual([2, [], 0]);
  });

  it("goes on with the attempt under way", async () => {
    const { connector, connections, lose } = await PlayedLifecycle.doubted();
    lose();
    expect([connector.attempts.length, connector.aborts]).toEqual([2, 0]);
    const next = connector.succeed();
    expect(connections[1]?.stream).toBe(next);
  });

  it("goes on with the waiting for the next attempt", async () => {
    const { connector, connections, clock, lose } = await PlayedLifecycle.doubted();
    connector.fail();
    lose();
    expect(connector.attempts).toHaveLength(2);
    clock.advance(100);
    const next = connector.succeed();
    expect(connections[1]?.stream).toBe(next);
  });

  it("does not use a candidate that was lost before", async () => {
    const { connector, connections, clock, lose } = await PlayedLifecycle.doubted();
    connector.succeed().sayEnd();
    await settle();
    lose();
    expect(connections).toHaveLength(1);
    clock.advance(100);
    const next = connector.succeed();
    expect(connections[1]?.stream).toBe(next);
  });

  it("measures the candidate like every other server: a stranger is refused, and tried again", async () => {
    const { connector, connections, clock, lose, givenUp, log } = await PlayedLifecycle.doubted();
    const stranger = connector.succeed({ sizeBytes: 512 });
    expect(stranger.destroyed).toBe(true);
    expect(log.of("warning").at(-1)).toContain("can't connect: its size is 512 bytes, not 1048576; trying on");
    clock.advance(LIMITS.patienceMs + 1000);
    expect([givenUp, connections.length]).toEqual([[], 1]);
    lose();
    expect(connections).toHaveLength(1);
    connector.succeed({ sizeBytes: 512 });
    expect(connections).toHaveLength(1);
    clock.advance(100);
    connector.succeed();
    expect(connections).toHaveLength(2);
  });
});

describe("Lifecycle beside whose silent connection nobody is greeted", () => {
  it("gives it up after two attempts in a row that were connected and not greeted, and tries on", async () => {
    const { connector, connections, clock, givenUp } = await PlayedLifecycle.doubted();
    connector.failUngreeted();
    expect(givenUp).toEqual([]);
    clock.advance(100);
    connector.failUngreeted();
    expect(givenUp).toEqual(["silent, and the server greets nobody else meanwhile"]);
    clock.advance(100);
    expect(connector.attempts).toHaveLength(4);
    const next = connector.succeed();
    expect(connections[1]?.stream).toBe(next);
  });

  it("counts only those in a row: a refusal or a greeting between them begins again", async () => {
    const refused = await PlayedLifecycle.doubted();
    const greeted = await PlayedLifecycle.doubted();
    for (const { connector, clock } of [refused, greeted]) {
      connector.failUngreeted();
      clock.advance(100);
    }
    refused.connector.fail();
    greeted.connector.succeed().drop();
    await settle();
    for (const { connector, clock, givenUp } of [refused, greeted]) {
      clock.advance(100);
      connector.failUngreeted();
      expect(givenUp).toEqual([]);
      clock.advance(100);
      connector.failUngreeted();
      expect(givenUp).toHaveLength(1);
    }
  });

  it("counts from nothing again in the next silence", async () => {
    const played = await PlayedLifecycle.doubted();
    played.connector.failUngreeted();
    played.lifecycle.heardAgain();
    played.silent();
    played.connector.failUngreeted();
    expect(played.givenUp).toEqual([]);
  });

  it("does not count in an outage, where there is nothing to give up", async () => {
    const { connector, clock, lose, givenUp } = await PlayedLifecycle.connected();
    lose();
    for (let turn = 0; turn < 5; turn += 1) {
      connector.failUngreeted();
      clock.advance(100);
    }
    expect(givenUp).toEqual([]);
  });
});

describe("Lifecycle that is told of silence at the wrong time", () => {
  it("has nobody to doubt before it is connected, in an outage, or when it is closed", async () => {
    const idle = new PlayedLifecycle();
    const starting = new PlayedLifecycle();
    void starting.lifecycle.start();
    const away = await PlayedLifecycle.connected();
    away.lose();
    const closed = await PlayedLifecycle.connected();
    closed.lifecycle.close();
    for (const played of [idle, starting, away, closed]) {
      const before = played.connector.attempts.length;
      played.silent();
      played.lifecycle.heardAgain();
      expect([played.connector.attempts.length, played.connector.aborts]).toEqual([before, 0]);
    }
  });

  it("ends for good when it is closed in doubt, at whatever stage the candidate is", async () => {
    const dialling = await PlayedLifecycle.doubted();
    const waiting = await PlayedLifecycle.doubted();
    waiting.connector.fail();
    const ready = await PlayedLifecycle.doubted();
    const candidate = ready.connector.succeed();
    for (const { lifecycle, clock, connector, givenUp, lose } of [dialling, waiting, ready]) {
      const before = connector.attempts.length;
      lifecycle.close();
      lose();
      clock.advance(60_000);
      await settle();
      expect([connector.attempts.length, clock.pending, givenUp]).toEqual([before, 0, []]);
    }
    expect([dialling.connector.aborts, candidate.destroyed]).toEqual([1, true]);
  });
});

describe("Lifecycle with several paths", () => {
  it("tries each once at start, and rejects with the last failure", async () => {
    const { lifecycle, connector, clock } = new PlayedLifecycle({ paths: 2 });
    const started = lifecycle.start();
    connector.fail("the first is gone");
    expect(connector.servers).toEqual(["store:10809", "spare:10809"]);
    connector.fail("the second as well");
    await expect(started).rejects.toThrow("the second as well");
    clock.advance(60_000);
    expect(connector.attempts).toHaveLength(2);
  });

  it("starts on the next one when the preferred one fails, and begins with that one after a loss", async () => {
    const { lifecycle, connector, lose, log } = new PlayedLifecycle({ paths: 2 });
    const started = lifecycle.start();
    connector.fail();
    connector.succeed();
    await started;
    lose();
    expect(connector.servers).toEqual(["store:10809", "spare:10809", "spare:10809"]);
    expect(log.of("warning")).toEqual(["server spare:10809: connection lost: reset"]);
  });

  it("can be started again after all of them failed, from the preferred one", async () => {
    const { lifecycle, connector } = new PlayedLifecycle({ paths: 2 });
    const failed = lifecycle.start();
    connector.fail();
    connector.fail();
    await expect(failed).rejects.toThrow();
    const started = lifecycle.start();
    connector.succeed();
    await started;
    expect(connector.servers).toEqual(["store:10809", "spare:10809", "store:10809"]);
  });

  it("does not go on to the next path when it is closed at start", async () => {
    const { lifecycle, connector } = new PlayedLifecycle({ paths: 2 });
    void lifecycle.start();
    lifecycle.close();
    connector.fail();
    await settle();
    expect(connector.attempts).toHaveLength(1);
  });
});
