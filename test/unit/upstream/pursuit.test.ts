import { describe, expect, it } from "vitest";

import { Pursuit } from "../../../src/upstream/pursuit.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { settle } from "../support/settle.ts";
import { PlayedConnector } from "./played-connector.ts";

const NEXT_MS = 100;

function setUp({ firstDelayMs = 0, paths = 1, wantedBytes = 1024 * 1024 } = {}) {
  const clock = new ManualClock();
  const connector = new PlayedConnector(clock, paths);
  const signs: string[] = [];
  const pursuit = new Pursuit({
    connector: connector.asConnector,
    clock,
    firstDelayMs,
    nextDelayMs: () => NEXT_MS,
    objection: ({ geometry }) => (geometry.sizeBytes === wantedBytes ? undefined : new Error("a stranger")),
    dialling: () => signs.push(`dialling ${connector.server}`),
    reached: () => signs.push("reached"),
    failed: (error) => signs.push(`failed at ${connector.server}: ${error.message}`),
  });
  clock.advance(0);
  return { clock, connector, signs, pursuit };
}

describe("Pursuit", () => {
  it("waits as it was told before it dials first, and never dials while it is made", () => {
    const clock = new ManualClock();
    const connector = new PlayedConnector(clock);
    const quiet = { dialling: () => undefined, reached: () => undefined, failed: () => undefined };
    const made = {
      connector: connector.asConnector,
      clock,
      nextDelayMs: () => 1,
      objection: () => undefined,
      ...quiet,
    };
    const pursuit = new Pursuit({ ...made, firstDelayMs: 0 });
    expect(connector.attempts).toHaveLength(0);
    clock.advance(0);
    expect(connector.attempts).toHaveLength(1);
    pursuit.abandon();
    const late = setUp({ firstDelayMs: 70 });
    late.clock.advance(69);
    expect(late.connector.attempts).toHaveLength(0);
    late.clock.advance(1);
    expect(late.connector.attempts).toHaveLength(1);
  });

  it("dials, waits, dials again, until a server is reached, and stops there", () => {
    const { clock, connector, signs, pursuit } = setUp();
    connector.fail("refused");
    clock.advance(NEXT_MS - 1);
    expect(connector.attempts).toHaveLength(1);
    clock.advance(1);
    connector.fail("no route");
    clock.advance(NEXT_MS);
    expect(pursuit.take()).toBeUndefined();
    const stream = connector.succeed();
    expect(connector.atMs).toEqual([0, 100, 200]);
    expect(signs).toEqual([
      "dialling store:10809",
      "failed at store:10809: refused",
      "dialling store:10809",
      "failed at store:10809: no route",
      "dialling store:10809",
      "reached",
    ]);
    clock.advance(3_600_000);
    expect([connector.attempts.length, clock.pending, stream.destroyed]).toEqual([3, 0, false]);
  });

  it("takes the paths in turn, and names the one that failed", () => {
    const { clock, connector, signs } = setUp({ paths: 2 });
    connector.fail("refused");
    clock.advance(NEXT_MS);
    connector.fail("refused");
    clock.advance(NEXT_MS);
    expect(connector.servers).toEqual(["store:10809", "spare:10809", "store:10809"]);
    expect(signs.filter((sign) => sign.startsWith("failed"))).toEqual([
      "failed at store:10809: refused",
      "failed at spare:10809: refused",
    ]);
  });

  it("hands the connection out once, untouched, and is over", async () => {
    const { connector, pursuit, signs, clock } = setUp();
    const stream = connector.succeed();
    const taken = pursuit.take();
    expect(taken?.stream).toBe(stream);
    expect(pursuit.take()).toBeUndefined();
    pursuit.abandon();
    await settle();
    expect([stream.destroyed, clock.pending, signs.at(-1)]).toEqual([false, 0, "reached"]);
  });

  it("refuses a server that there is an objection to, and tries the next path", () => {
    const { clock, connector, signs, pursuit } = setUp({ paths: 2 });
    const stranger = connector.succeed({ sizeBytes: 1 });
    expect([stranger.destroyed, pursuit.take()]).toEqual([true, undefined]);
    expect(signs.at(-1)).toBe("failed at store:10809: a stranger");
    clock.advance(NEXT_MS);
    expect(connector.servers).toEqual(["store:10809", "spare:10809"]);
    connector.succeed();
    expect(signs.at(-1)).toBe("reached");
  });

  it.each([
    ["closes", "sayEnd", "the server closed the connection before it was used"],
    ["vanishes", "drop", "the connection was lost before it was used"],
  ] as const)("looks on when the server that it keeps for later %s", async (_name, leave, why) => {
    const { clock, connector, signs, pursuit } = setUp({ paths: 2 });
    const stream = connector.succeed();
    stream[leave]();
    await settle();
    expect([stream.destroyed, pursuit.take()]).toEqual([true, undefined]);
    expect(signs.at(-1)).toBe(`failed at store:10809: ${why}`);
    clock.advance(NEXT_MS);
    expect(connector.servers).toEqual(["store:10809", "spare:10809"]);
    const next = connector.succeed();
    await settle();
    expect([next.destroyed, pursuit.take()?.stream]).toEqual([false, next]);
    expect(connector.pool.heldBytes).toBe(0);
  });

  it.each([1, 16, 500])("does not keep a server that speaks unasked, be it %i bytes", async (count) => {
    const { connector, signs, pursuit } = setUp();
    const stream = connector.succeed();
    stream.say(Buffer.alloc(count, 0x67));
    await settle();
    expect([stream.destroyed, pursuit.take()]).toEqual([true, undefined]);
    expect(signs.filter((sign) => sign.startsWith("failed"))).toEqual([
      "failed at store:10809: the server spoke unasked",
    ]);
    expect(connector.pool.heldBytes).toBe(0);
  });

  it("takes a violation for speaking unasked, and has nothing to write", () => {
    const { connector, pursuit, signs } = setUp();
    connector.succeed();
    pursuit.drained();
    pursuit.violated();
    expect(signs.at(-1)).toBe("failed at store:10809: the server spoke unasked");
  });
});

describe("Pursuit.abandon", () => {
  it("ends it while it waits, dials, or has reached a server, for good", async () => {
    const waiting = setUp({ firstDelayMs: 50 });
    const dialling = setUp();
    const reached = setUp();
    const stream = reached.connector.succeed();
    for (const { pursuit, clock, connector } of [waiting, dialling, reached]) {
      const before = connector.attempts.length;
      pursuit.abandon();
      pursuit.abandon();
      clock.advance(60_000);
      await settle();
      expect([connector.attempts.length, clock.pending]).toEqual([before, 0]);
    }
    expect([waiting.connector.aborts, dialling.connector.aborts, reached.connector.aborts]).toEqual([0, 1, 0]);
    expect([stream.destroyed, reached.signs.at(-1)]).toEqual([true, "reached"]);
  });

  it("ignores what an attempt that it aborted says all the same", () => {
    const { connector, pursuit, signs, clock } = setUp();
    pursuit.abandon();
    connector.fail();
    connector.succeed();
    expect([signs, clock.pending]).toEqual([["dialling store:10809"], 0]);
  });

  it("may be called while it tells of a failure", () => {
    const clock = new ManualClock();
    const connector = new PlayedConnector(clock);
    const pursuit: Pursuit = new Pursuit({
      connector: connector.asConnector,
      clock,
      firstDelayMs: 0,
      nextDelayMs: () => NEXT_MS,
      objection: () => undefined,
      dialling: () => undefined,
      reached: () => undefined,
      failed: () => pursuit.abandon(),
    });
    clock.advance(0);
    connector.fail();
    clock.advance(60_000);
    expect([connector.attempts.length, clock.pending]).toEqual([1, 0]);
  });
});
