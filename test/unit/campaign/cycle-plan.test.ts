import { describe, expect, it } from "vitest";

import { planCycle } from "../../../campaign/cycle-plan.ts";
import type { CyclePlan } from "../../../campaign/cycle-plan.ts";
import type { Fault } from "../../../campaign/fault.ts";
import { chooseFaults } from "../../../campaign/fault-table.ts";
import type { ServerName } from "../../../campaign/server-name.ts";

const SEEDS = Array.from({ length: 400 }, (_, seed) => seed);

function plansOf(fault: readonly Fault[], server: readonly ServerName[], isControl = false): CyclePlan[] {
  const { choices } = chooseFaults({ fault, server }, { isInstalled: () => true, noPrivateGround: undefined });
  return SEEDS.map((seed) => planCycle(seed, choices, isControl));
}

const faultsOf = ({ strikes }: CyclePlan) => strikes.map(({ fault }) => fault);

describe("planCycle", () => {
  it("makes the same plan of a seed again, and different ones of different seeds", () => {
    const [first, second] = [plansOf([], []), plansOf([], [])];
    expect(first).toEqual(second);
    expect(new Set(first.map((plan) => JSON.stringify({ ...plan, seed: 0 }))).size).toBe(SEEDS.length);
  });

  it("uses every server, every fault and both clients", () => {
    const plans = plansOf([], []);
    expect(new Set(plans.map(({ server }) => server)).size).toBe(4);
    expect(new Set(plans.flatMap(faultsOf)).size).toBe(7);
    expect(new Set(plans.map(({ load }) => load.kind))).toEqual(new Set(["fio", "checker"]));
  });

  it("makes a quarter of all faults power losses, at least", () => {
    const faults = plansOf([], []).flatMap(faultsOf);
    expect(faults.filter((fault) => fault === "power-loss").length).toBeGreaterThan(faults.length / 4);
  });

  it("keeps to the chosen faults and servers", () => {
    for (const plan of plansOf(["reset", "kill"], ["qemu-nbd"])) {
      expect(plan.server).toBe("qemu-nbd");
      for (const fault of faultsOf(plan)) expect(["reset", "kill"]).toContain(fault);
    }
  });

  it("gives fio one kind of fault, with which it can live", () => {
    const plans = plansOf([], []).filter(({ load }) => load.kind === "fio");
    for (const plan of plans) {
      expect(new Set(faultsOf(plan)).size).toBe(1);
      expect(["enospc", "other-size"]).not.toContain(faultsOf(plan)[0]);
    }
    expect(plansOf(["enospc", "other-size"], []).every(({ load }) => load.kind === "checker")).toBe(true);
  });

  it("reads back after each fault in a control, which has no use for fio", () => {
    for (const { load } of plansOf(["power-loss"], [], true)) {
      expect(load).toMatchObject({ kind: "checker", readBackAfterEach: true });
    }
  });

  it("keeps the hot blocks on the disk, and faults within their times", () => {
    for (const { load, sizeBytes, strikes } of plansOf([], [])) {
      if (load.kind === "checker") {
        expect(load.mix.hotFirstBlock).toBeGreaterThanOrEqual(0);
        expect((load.mix.hotFirstBlock + load.mix.hotBlocks) * 512).toBeLessThanOrEqual(sizeBytes);
      }
      expect(strikes.length).toBeGreaterThanOrEqual(4);
      for (const { afterMs, lastsMs } of strikes) {
        expect(afterMs).toBeLessThanOrEqual(1000);
        expect(lastsMs).toBeLessThanOrEqual(3000);
      }
    }
  });
});
