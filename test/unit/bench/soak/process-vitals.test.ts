import { describe, expect, it } from "vitest";

import { parseCpuTime, parseResidentMemory, parseWaits } from "../../../../bench/soak/process-vitals.ts";

const STATUS = [
  "Name:\tnode",
  "VmHWM:\t   70000 kB",
  "VmRSS:\t   61672 kB",
  "voluntary_ctxt_switches:\t1935",
  "nonvoluntary_ctxt_switches:\t8481",
  "",
].join("\n");

describe("the vitals of a process", () => {
  it("have the memory that is resident now", () => {
    expect(parseResidentMemory(STATUS)).toBe(61_672);
  });

  it("count as waits what a thread gave up by itself", () => {
    expect(parseWaits(STATUS)).toBe(1935);
  });

  it("have the time on a processor in milliseconds", () => {
    expect(parseCpuTime("2675325275 2892430374 10416\n")).toBeCloseTo(2675.325_275);
  });

  it("are refused from another text", () => {
    expect(() => parseCpuTime("")).toThrow("nothing like");
    expect(() => parseResidentMemory("Name:\tkthreadd\n")).toThrow("nothing like");
  });
});
