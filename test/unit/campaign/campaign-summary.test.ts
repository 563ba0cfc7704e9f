import { describe, expect, it } from "vitest";

import { summarizeCampaign } from "../../../campaign/campaign-summary.ts";
import { campaignTable } from "../../../campaign/campaign-table.ts";
import type { CycleOutcome, FaultWindow } from "../../../campaign/cycle-outcome.ts";
import { planCycle } from "../../../campaign/cycle-plan.ts";
import type { Fault } from "../../../campaign/fault.ts";
import { chooseFaults } from "../../../campaign/fault-table.ts";
import type { ServerName } from "../../../campaign/server-name.ts";
import { judgeCampaign } from "../../../campaign/verdict.ts";

const MIB = 1024 * 1024;

function windowOf(fault: Fault, unflushedBytes = 0, wrong = 0, errors: [number, number][] = []): FaultWindow {
  const findings = Array.from({ length: wrong }, (_, block) => ({ kind: "lost" as const, block, text: "lost" }));
  const tally = { operations: 10, bytesWritten: 2 * MIB, bytesRead: 3 * MIB, errors: new Map(errors), findings };
  return { fault, unflushedBytes, tally };
}

function outcome(server: ServerName, windows: readonly FaultWindow[], failure?: string): CycleOutcome {
  const { choices } = chooseFaults(
    { fault: [], server: [server] },
    { isInstalled: () => true, noPrivateGround: undefined },
  );
  return { plan: planCycle(1, choices, false), windows, failure, seconds: 1 };
}

const GOOD = [
  outcome("nbdkit-cache", [windowOf("power-loss", 512), windowOf("power-loss"), windowOf("enospc", 0, 0, [[28, 4]])]),
  outcome("nbdkit-cache", [windowOf("power-loss", 512)]),
  outcome("qemu-nbd", [windowOf("kill", 512)]),
];
const LOSSES = [
  outcome("nbdkit-cache", [windowOf("power-loss", 512, 3), windowOf("power-loss", 512, 1), windowOf("stop", 0, 2)]),
  outcome("nbdkit-cache", [windowOf("power-loss", 512), windowOf("power-loss", 512)]),
];

describe("summarizeCampaign", () => {
  it("has a row for each fault and server that took part, and their sum", () => {
    const { rows, total, cycles, failures } = summarizeCampaign(GOOD);
    expect(rows.map(({ fault, server, faults }) => [fault, server, faults])).toEqual([
      ["power-loss", "nbdkit-cache", 3],
      ["kill", "qemu-nbd", 1],
      ["enospc", "nbdkit-cache", 1],
    ]);
    // A kill that leaves what was written with the kernel is no power loss.
    expect(total).toMatchObject({
      faults: 5,
      unflushed: 2,
      operations: 50,
      bytesWritten: 10 * MIB,
      errors: 4,
      wrongBlocks: 0,
    });
    expect([cycles, failures]).toEqual([3, 0]);
  });

  it("counts power losses that lost something, and cycles once", () => {
    const { rows, total } = summarizeCampaign(LOSSES);
    expect(rows[0]).toMatchObject({ unflushed: 4, unflushedLost: 2, wrongBlocks: 4, cyclesWithLosses: 1 });
    expect(rows[1]).toMatchObject({ fault: "stop", wrongBlocks: 2, cyclesWithLosses: 1 });
    expect(total).toMatchObject({ wrongBlocks: 6, cyclesWithLosses: 1 });
  });
});

describe("campaignTable", () => {
  it("has a line for each row and one for all", () => {
    const lines = campaignTable(summarizeCampaign(GOOD)).split("\n");
    expect(lines[1]).toMatch(/^power-loss of nbdkit-cache +3 +2 +30 +6 +9 +0 +0 +0$/);
    expect(lines[4]).toMatch(/^all +5 +2 +50 +10 +15 +4 +0 +0$/);
  });
});

describe("judgeCampaign", () => {
  it("takes no loss and no failure", () => {
    expect(judgeCampaign(summarizeCampaign(GOOD), "log").isGood).toBe(true);
    expect(judgeCampaign(summarizeCampaign(LOSSES), "log")).toEqual({
      isGood: false,
      text: "6 blocks lost or wrong after 5 faults, 4 of them power losses with unflushed data.",
    });
    const failed = judgeCampaign(summarizeCampaign([...GOOD, outcome("nbdkit", [], "it ended")]), "fua");
    expect(failed.isGood).toBe(false);
    expect(failed.text).toContain("1 of 4 cycles failed otherwise");
  });

  it("wants losses in more than half of the power losses of a control", () => {
    expect(judgeCampaign(summarizeCampaign(GOOD), "off").isGood).toBe(false);
    const half = judgeCampaign(summarizeCampaign(LOSSES), "off");
    expect(half.isGood).toBe(false);
    expect(half.text).toBe("control: in 2 of 4 power losses with unflushed data something was lost.");
    const more = [...LOSSES, outcome("nbdkit-cache", [windowOf("power-loss", 512, 9)])];
    expect(judgeCampaign(summarizeCampaign(more), "off").isGood).toBe(true);
    expect(judgeCampaign(summarizeCampaign([]), "off").isGood).toBe(false);
  });
});
