import { describe, expect, it } from "vitest";
import { BLOCK_BYTES, BURST_BLOCKS, type PlannedKill } from "../../../src/demo/demo-plan.ts";
import { Leg } from "../../../src/demo/leg.ts";
import type { Progress } from "../../../src/demo/progress-bar.ts";

const BLOCKS = 64;
const SIZE_BYTES = BLOCKS * BLOCK_BYTES;

interface Journey {
  readonly leg: Leg;
  /** What happened, in order. */
  readonly events: string[];
  readonly failures: unknown[];
  readonly giveUp: AbortController;
}

function journey(
  kills: readonly PlannedKill[],
  start: () => Promise<void> = () => Promise.resolve(),
  lostBytes = 0,
): Journey {
  const events: string[] = [];
  const failures: unknown[] = [];
  const giveUp = new AbortController();
  const note = ({ note: text, serverIsUp }: Progress): void => {
    events.push(`${text.replace(/\d+\.\d s/, "N s")}, ${serverIsUp ? "up" : "away"}`);
  };
  const leg = new Leg({
    phase: "writing",
    sizeBytes: SIZE_BYTES,
    kills,
    // The bursts of so small a copy would be far apart.
    durationMs: 0,
    server: {
      kill: () => {
        events.push("kill");
        return Promise.resolve();
      },
      start: () => {
        events.push("start");
        return start();
      },
    },
    display: {
      progressed: () => undefined,
      happened: note,
      line: () => undefined,
      log: () => undefined,
      close: () => undefined,
    },
    inFlight: () => 7,
    countLost: () => {
      events.push("count");
      return Promise.resolve(lostBytes);
    },
    signal: giveUp.signal,
    failed: (error) => failures.push(error),
  });
  return { leg, events, failures, giveUp };
}

describe("a leg of the copy", () => {
  it("transfers every block once, in order, a burst at a time", async () => {
    const { leg } = journey([]);
    const offsets: number[] = [];
    let underWay = 0;
    let most = 0;
    await leg.run(async (offset) => {
      offsets.push(offset);
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
    });
    expect(offsets).toEqual(Array.from({ length: BLOCKS }, (_, block) => block * BLOCK_BYTES));
    expect(most).toBe(BURST_BLOCKS);
  });

  it("kills the server when it got that far, and starts it again", async () => {
    const { leg, events } = journey([{ atBytes: 8 * BLOCK_BYTES, outageMs: 0 }]);
    await leg.run(() => Promise.resolve());
    expect(events).toEqual([
      "kill",
      "server killed, 7 requests under way, away",
      "count",
      "start",
      "server back after N s, up",
    ]);
    expect(leg.kills).toBe(1);
    expect(leg.awayMs).toBeGreaterThan(0);
  });

  it("says what the server has lost, before it is started again", async () => {
    const { leg, events } = journey([{ atBytes: BLOCK_BYTES, outageMs: 0 }], undefined, 3.25 * 1024 ** 2);
    await leg.run(() => Promise.resolve());
    expect(events.slice(2, 5)).toEqual(["count", "server lost 3.3 MiB it had answered, away", "start"]);
  });

  it("does not kill a server that is away, but later", async () => {
    const kills = [
      { atBytes: BLOCK_BYTES, outageMs: 0 },
      { atBytes: 2 * BLOCK_BYTES, outageMs: 0 },
    ];
    let started = (): void => undefined;
    const firstStart = new Promise<void>((resolve) => (started = resolve));
    const { leg, events } = journey(kills, () => {
      started();
      return Promise.resolve();
    });
    await leg.run((offset) => (offset < 16 * BLOCK_BYTES ? Promise.resolve() : firstStart));
    expect(events.filter((event) => event === "kill" || event === "start")).toEqual(["kill", "start", "kill", "start"]);
  });

  it("rejects when a transfer does", async () => {
    const { leg } = journey([]);
    await expect(leg.run(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  });

  it("tells when the server can't be started again", async () => {
    const failure = new Error("no such file");
    const { leg, failures } = journey([{ atBytes: BLOCK_BYTES, outageMs: 0 }], () => Promise.reject(failure));
    await leg.run(() => Promise.resolve());
    expect(failures).toEqual([failure]);
  });

  it("does not start the server again once the demo is given up", async () => {
    const { leg, events, giveUp } = journey([{ atBytes: BLOCK_BYTES, outageMs: 60_000 }]);
    await leg
      .run((offset) => {
        if (offset === 4 * BLOCK_BYTES) giveUp.abort(new Error("given up"));
        return Promise.resolve();
      })
      .catch(() => undefined);
    expect(events).not.toContain("start");
  });
});
