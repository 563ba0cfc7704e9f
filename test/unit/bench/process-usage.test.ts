import { describe, expect, it } from "vitest";

import { parsePeakMemory, parseProcessStat } from "../../../bench/process-usage.ts";

function statText(program: string): string {
  const times = "700 30 5 2";
  return `4242 (${program}) S 1 4200 4200 0 -1 4194304 900 80 0 0 ${times} 20 0 11 0 123456 1500000 3000 184467440737\n`;
}

describe("parseProcessStat", () => {
  it.each(["node", "a b", "x) R 1 2 (y"])("finds group and times behind a program called %j", (program) => {
    expect(parseProcessStat(statText(program))).toEqual({ groupId: 4200, cpuTicks: 737, ownCpuTicks: 730 });
  });

  it("throws for something else", () => {
    expect(() => parseProcessStat("4242 (node) S 1")).toThrow("not the text");
  });
});

describe("parsePeakMemory", () => {
  it("reads the highest, not the present size", () => {
    expect(parsePeakMemory("Name:\tnode\nVmPeak:\t 1500 kB\nVmHWM:\t   61672 kB\nVmRSS:\t   50000 kB\n")).toBe(61_672);
  });

  it("is 0 for a process that has ended and was not waited for", () => {
    expect(parsePeakMemory("Name:\tnode\nState:\tZ (zombie)\n")).toBe(0);
  });
});
