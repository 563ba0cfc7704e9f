import { describe, expect, it } from "vitest";

import { cycleLine, reportCycle } from "../../../campaign/campaign-report.ts";
import type { CycleOutcome } from "../../../campaign/cycle-outcome.ts";
import type { CyclePlan } from "../../../campaign/cycle-plan.ts";

const PLAN: CyclePlan = {
  seed: 77,
  server: "qemu-nbd",
  sizeBytes: 8 * 1024 * 1024,
  isFresh: true,
  load: { kind: "fio", fsyncEvery: 0 },
  proxy: { upstreamTimeoutS: undefined, pinS: undefined, cacheMib: undefined },
  strikes: [],
};

function outcome(wrong: number, failure?: string): CycleOutcome {
  const findings = Array.from({ length: wrong }, (_, block) => ({ kind: "lost" as const, block, text: "zeros" }));
  const tally = { operations: 5, bytesWritten: 6, bytesRead: 7, errors: new Map([[28, 2]]), findings };
  return { plan: PLAN, windows: [{ fault: "kill", unflushedBytes: 512, tally }], failure, seconds: 1.5 };
}

describe("cycleLine", () => {
  it("tells what was done", () => {
    expect(cycleLine(3, outcome(0))).toBe(
      "cycle 3, seed 77: qemu-nbd, fio: kill; 5 operations in 1.5 s, 0 blocks lost or wrong\n",
    );
  });

  it("gives examples of what is wrong, and says why it failed", () => {
    const lines = cycleLine(3, outcome(100, "it ended\nbadly")).split("\n");
    expect(lines.slice(1)).toEqual([
      ...[0, 1, 2].map((block) => `  lost after kill: block ${block}: zeros`),
      "  failed: it ended",
      "  badly",
      "",
    ]);
  });
});

describe("reportCycle", () => {
  it("can be written as JSON, with all counts and some of the findings", () => {
    const report = JSON.parse(JSON.stringify(reportCycle(outcome(100)))) as ReturnType<typeof reportCycle>;
    const [fault] = report.faults;
    expect(fault).toMatchObject({
      fault: "kill",
      unflushedBytes: 512,
      operations: 5,
      errors: { 28: 2 },
      wrongBlocks: 100,
    });
    expect(fault?.findings).toHaveLength(20);
    expect(report).toMatchObject({ failure: null, plan: { seed: 77 } });
  });
});
