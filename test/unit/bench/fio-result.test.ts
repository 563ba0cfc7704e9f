import { describe, expect, it } from "vitest";

import { parseFioResult } from "../../../bench/fio-result.ts";

const idle = { total_ios: 0, iops: 0, clat_ns: { min: 0 }, lat_ns: { min: 0 } };

function busy(iops: number) {
  return {
    total_ios: 41_086,
    iops,
    clat_ns: { min: 8093 },
    lat_ns: { min: 8093, percentile: { "50.000000": 171_008, "95.000000": 317_440, "99.000000": 485_376 } },
  };
}

function fioText(job: object, before = ""): string {
  return `${before}${JSON.stringify({ "fio version": "fio-3.33", jobs: [{ jobname: "x", error: 0, ...job }] }, undefined, 2)}\n`;
}

describe("parseFioResult", () => {
  it("reads the figures of a job that reads", () => {
    expect(parseFioResult(fioText({ read: busy(82_007.98), write: idle }))).toEqual({
      operations: 41_086,
      operationsPerSecond: 82_007.98,
      p50Us: 171.008,
      p99Us: 485.376,
    });
  });

  it("reads the figures of a job that writes", () => {
    expect(parseFioResult(fioText({ read: idle, write: busy(7) })).operationsPerSecond).toBe(7);
  });

  it("passes over notes before the JSON", () => {
    const text = fioText({ read: busy(5), write: idle }, "fio: connected to NBD server\n");
    expect(parseFioResult(text).operationsPerSecond).toBe(5);
  });

  it.each([
    ["no JSON", "fio: no such engine\n", "no JSON"],
    ["JSON that is cut off", fioText({ read: busy(1), write: idle }).slice(0, -9), "JSON"],
    ["a failed job", fioText({ error: 5, read: busy(1), write: idle }), "error 5"],
    ["no job", '{ "jobs": [] }', 'no "error"'],
    ["no request completed", fioText({ read: idle, write: idle }), "completed no request"],
    ["no percentiles", fioText({ read: { ...busy(1), lat_ns: {} }, write: idle }), 'no "percentile"'],
    ["a figure that is no number", fioText({ read: { ...busy(1), iops: "1" }, write: idle }), "not a number"],
  ])("throws for %s", (_what, text, message) => {
    expect(() => parseFioResult(text)).toThrow(message);
  });
});
