import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SilenceWatch } from "../../../src/upstream/silence-watch.ts";
import { ManualClock } from "../support/manual-clock.ts";

const TIMEOUT_MS = 30_000;

function setUp(idleMs?: number) {
  const clock = new ManualClock();
  const signs: string[] = [];
  const note = (what: string) => () => void signs.push(`${what} at ${clock.nowMs()}`);
  const watch = new SilenceWatch({
    clock,
    timeoutMs: TIMEOUT_MS,
    idleMs,
    silent: note("silent"),
    heardAgain: note("heard again"),
    idle: note("idle"),
  });
  return { clock, signs, watch };
}

describe("SilenceWatch", () => {
  it("has no timer and nothing to say while nobody waits", () => {
    const { clock, signs } = setUp();
    expect(clock.pending).toBe(0);
    clock.advance(24 * 3_600_000);
    expect(signs).toEqual([]);
  });

  it("calls it silence when a request waits and no byte comes, once", () => {
    const { clock, signs, watch } = setUp();
    clock.advance(5000);
    watch.sent();
    clock.advance(TIMEOUT_MS - 1);
    expect([signs, watch.silent]).toEqual([[], false]);
    clock.advance(1);
    expect([signs, watch.silent]).toEqual([["silent at 35000"], true]);
    clock.advance(24 * 3_600_000);
    expect([signs.length, clock.pending]).toEqual([1, 0]);
  });

  it("counts from the last byte, not from the oldest request: a slow server is not a silent one", () => {
    const { clock, signs, watch } = setUp();
    watch.sent();
    for (let turn = 0; turn < 10; turn += 1) {
      clock.advance(TIMEOUT_MS - 1);
      watch.heard();
    }
    expect(signs).toEqual([]);
    clock.advance(TIMEOUT_MS);
    expect(signs).toEqual([`silent at ${10 * (TIMEOUT_MS - 1) + TIMEOUT_MS}`]);
  });

  it("is not put off by further requests", () => {
    const { clock, signs, watch } = setUp();
    for (let turn = 0; turn < 30; turn += 1) {
      watch.sent();
      clock.advance(1000);
    }
    expect(signs).toEqual([`silent at ${TIMEOUT_MS}`]);
  });

  it("begins anew with the first request after a pause, however long nothing was heard before", () => {
    const { clock, signs, watch } = setUp();
    watch.sent();
    watch.heard();
    watch.answered();
    clock.advance(TIMEOUT_MS - 1);
    watch.sent();
    clock.advance(TIMEOUT_MS - 1);
    expect(signs).toEqual([]);
    clock.advance(1);
    expect(signs).toEqual([`silent at ${2 * TIMEOUT_MS - 1}`]);
  });

  it("says nothing once every request is answered", () => {
    const { clock, signs, watch } = setUp();
    watch.sent();
    watch.sent();
    watch.heard();
    watch.answered();
    watch.answered();
    clock.advance(10 * TIMEOUT_MS);
    expect([signs, clock.pending]).toEqual([[], 0]);
  });

  it("says that the server is heard again, and watches on", () => {
    const { clock, signs, watch } = setUp();
    watch.sent();
    clock.advance(TIMEOUT_MS + 500);
    watch.heard();
    watch.heard();
    expect([signs, watch.silent]).toEqual([["silent at 30000", "heard again at 30500"], false]);
    clock.advance(TIMEOUT_MS);
    expect(signs.slice(2)).toEqual(["silent at 60500"]);
  });

  it("watches no more when it is stopped, whatever comes", () => {
    for (const silentFirst of [false, true]) {
      const { clock, signs, watch } = setUp(1000);
      watch.sent();
      if (silentFirst) clock.advance(TIMEOUT_MS);
      const before = signs.length;
      watch.stop();
      watch.heard();
      watch.answered();
      clock.advance(10 * TIMEOUT_MS);
      expect([signs.length, clock.pending]).toEqual([before, 0]);
    }
  });
});

describe("SilenceWatch over an idle server", () => {
  it("speaks up once in every interval without a byte", () => {
    const { clock, signs } = setUp(10_000);
    clock.advance(35_000);
    expect(signs).toEqual(["idle at 10000", "idle at 20000", "idle at 30000"]);
  });

  it("counts from the last byte", () => {
    const { clock, signs, watch } = setUp(10_000);
    clock.advance(9_999);
    watch.heard();
    clock.advance(9_999);
    expect(signs).toEqual([]);
    clock.advance(1);
    expect(signs).toEqual(["idle at 19999"]);
  });

  it("leaves it alone while requests wait: that is silence, or not", () => {
    const { clock, signs, watch } = setUp(10_000);
    clock.advance(1000);
    watch.sent();
    clock.advance(TIMEOUT_MS - 1);
    expect(signs).toEqual([]);
    clock.advance(1);
    expect(signs).toEqual(["silent at 31000"]);
    watch.heard();
    watch.answered();
    clock.advance(TIMEOUT_MS);
    expect(signs.slice(1)).toEqual(["heard again at 31000", "idle at 41000", "idle at 51000", "idle at 61000"]);
  });

  it("notices in time that a request waits, though it would look at idleness much later", () => {
    const { clock, signs, watch } = setUp(24 * 3_600_000);
    clock.advance(1000);
    watch.sent();
    clock.advance(TIMEOUT_MS);
    expect(signs).toEqual(["silent at 31000"]);
  });

  it("may be asked something while it speaks up", () => {
    const clock = new ManualClock();
    const signs: string[] = [];
    const watch: SilenceWatch = new SilenceWatch({
      clock,
      timeoutMs: TIMEOUT_MS,
      idleMs: 10_000,
      silent: () => signs.push("silent"),
      heardAgain: () => signs.push("heard again"),
      idle: () => {
        signs.push("idle");
        watch.sent();
      },
    });
    clock.advance(10_000);
    expect([signs, clock.pending]).toEqual([["idle"], 1]);
    clock.advance(TIMEOUT_MS);
    expect([signs, clock.pending]).toEqual([["idle", "silent"], 0]);
  });
});

describe("SilenceWatch, whatever happens", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
    fc.record({ kind: fc.constantFrom("sent" as const, "heard" as const, "answered" as const) }),
  );

  it("is silent exactly when something waits and nothing was heard for the timeout, with one timer at most", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.option(fc.integer({ min: 1000, max: 50_000 })),
        (steps, idle) => {
          const { clock, watch, signs } = setUp(idle ?? undefined);
          let outstanding = 0;
          let sinceMs = 0;
          let silent = false;
          for (const one of steps) {
            if (one.kind === "wait") clock.advance(one.ms);
            else if (one.kind === "heard" || (one.kind === "answered" && outstanding > 0)) {
              watch.heard();
              sinceMs = clock.nowMs();
              silent = false;
              if (one.kind === "answered") {
                watch.answered();
                outstanding -= 1;
              }
            } else if (one.kind === "sent") {
              if (outstanding === 0) sinceMs = clock.nowMs();
              watch.sent();
              outstanding += 1;
            }
            if (outstanding > 0 && clock.nowMs() - sinceMs >= TIMEOUT_MS) silent = true;
            expect(watch.silent).toBe(silent);
            expect(clock.pending).toBeLessThanOrEqual(1);
          }
          const words = signs.map((sign) => sign.split(" at ")[0]).filter((word) => word !== "idle");
          for (const [index, word] of words.entries()) expect(word).toBe(index % 2 === 0 ? "silent" : "heard again");
        },
      ),
      { numRuns: 300 },
    );
  });
});
