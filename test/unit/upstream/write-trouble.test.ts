import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { WriteTrouble } from "../../../src/upstream/write-trouble.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";

function setUp() {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const changes: boolean[] = [];
  const trouble = new WriteTrouble({ clock, log, changed: (failed) => changes.push(failed) });
  /** Refuses over and over, each time when the pause is over, until so much time has passed; returns the pauses. */
  const refuseFor = (timeMs: number, mayFail: boolean): number[] => {
    const pausesMs: number[] = [];
    for (const endMs = clock.nowMs() + timeMs; clock.nowMs() < endMs;) {
      const sinceMs = clock.nowMs();
      trouble.refused(() => pausesMs.push(clock.nowMs() - sinceMs), mayFail);
      clock.advance(clock.nextInMs ?? 0);
    }
    return pausesMs;
  };
  return { clock, log, changes, trouble, refuseFor };
}

describe("WriteTrouble", () => {
  it("lets the server be asked again after pauses that grow to a limit", () => {
    const { refuseFor, trouble } = setUp();
    expect(refuseFor(20_000, false)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(trouble.failed).toBe(false);
  });

  it("pauses until it is asked", () => {
    const { clock, trouble } = setUp();
    expect(trouble.pausing).toBe(false);
    trouble.refused(() => undefined, true);
    expect(trouble.pausing).toBe(true);
    clock.advance(LIMITS.refusedRetryMs);
    expect([trouble.pausing, clock.pending]).toEqual([false, 0]);
  });

  it("asks once for two refusals in a pause", () => {
    const { clock, trouble } = setUp();
    const asked: string[] = [];
    trouble.refused(() => asked.push("first"), true);
    trouble.refused(() => asked.push("second"), true);
    clock.advance(60_000);
    expect(asked).toEqual(["second"]);
  });

  it("has the export fail after ten seconds of refusals, once, and says so", () => {
    const { changes, log, refuseFor, trouble } = setUp();
    refuseFor(LIMITS.refusedMs, true);
    expect([trouble.failed, changes]).toEqual([false, []]);
    refuseFor(LIMITS.refusedMs, true);
    expect([trouble.failed, changes]).toEqual([true, [true]]);
    expect(log.lines).toEqual([
      "error: the server does not take what it acknowledged before: writes fail until it does",
    ]);
  });

  it("does not where it may not, but as soon as it may", () => {
    const { changes, refuseFor, trouble } = setUp();
    refuseFor(60_000, false);
    expect([trouble.failed, changes]).toEqual([false, []]);
    trouble.refused(() => undefined, true);
    expect([trouble.failed, changes]).toEqual([true, [true]]);
  });

  it("is over when the server took everything: it works again, and the next pauses are short", () => {
    const { clock, changes, log, refuseFor, trouble } = setUp();
    refuseFor(30_000, true);
    trouble.refused(() => expect.unreachable(), true);
    trouble.over();
    expect([trouble.failed, trouble.pausing, changes, clock.pending]).toEqual([false, false, [true, false], 0]);
    expect(log.lines.at(-1)).toBe("warning: the server takes writes again");
    expect(refuseFor(1, true)).toEqual([LIMITS.refusedRetryMs]);
    expect(trouble.failed).toBe(false);
  });

  it("says nothing when there was none", () => {
    const { changes, log, trouble } = setUp();
    trouble.over();
    expect([changes, log.lines]).toEqual([[], []]);
  });

  it("can be told to try no more for now", () => {
    const { clock, trouble } = setUp();
    trouble.refused(() => expect.unreachable(), true);
    trouble.pause();
    clock.advance(LIMITS.refusedMs);
    expect([trouble.pausing, trouble.failed]).toEqual([false, false]);
  });

  it("begins anew after a loss: a server that is away refuses nothing", () => {
    const { refuseFor, trouble } = setUp();
    refuseFor(LIMITS.refusedMs / 2, true);
    trouble.lost();
    expect(trouble.pausing).toBe(false);
    refuseFor(LIMITS.refusedMs / 2, true);
    expect(trouble.failed).toBe(false);
  });
});
