import { describe, expect, it } from "vitest";

import { mixedLoadArguments, parseMixedResult } from "../../../../bench/soak/mixed-load.ts";

describe("the mixed load", () => {
  it("is given its time in whole milliseconds", () => {
    expect(mixedLoadArguments("nbd://127.0.0.1:1/", 1.0004)).toContain("--runtime=1000ms");
  });

  it("tells how much of each it did", () => {
    const job = { error: 0, read: { total_ios: 9749 }, write: { total_ios: 9728 }, sync: { total_ios: 300 } };
    expect(parseMixedResult(JSON.stringify({ jobs: [job] }))).toEqual({ reads: 9749, writes: 9728, flushes: 300 });
  });

  it("is not good when the job failed", () => {
    expect(() => parseMixedResult(JSON.stringify({ jobs: [{ error: 5 }] }))).toThrow("error 5");
  });
});
