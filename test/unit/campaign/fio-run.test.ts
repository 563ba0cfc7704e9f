import { describe, expect, it } from "vitest";

import { summarizeFio } from "../../../campaign/fio-run.ts";

const JSON_TEXT = `note of the engine
{ "jobs": [ { "error": 0, "read": { "io_bytes": 4096, "total_ios": 1 }, "write": { "io_bytes": 8192, "total_ios": 2 } } ] }`;

describe("summarizeFio", () => {
  it("counts what was written and read", () => {
    const figures = { operations: 3, bytesWritten: 8192, bytesRead: 4096 };
    expect(summarizeFio(0, JSON_TEXT, "")).toEqual({ ...figures, findings: [], failure: undefined });
  });

  it("finds the block that could not be verified", () => {
    const complaint = [
      "verify: bad magic header 0, wanted acca at file campaign.0.0 offset 503808, length 4096",
      "fio: pid=1, err=84/file:io_u.c:2228, func=io_u error, error=Invalid or incomplete multibyte",
    ].join("\n");
    const { findings, failure } = summarizeFio(1, JSON_TEXT, complaint);
    expect(findings).toEqual([
      { kind: "unverified", block: 984, text: expect.stringContaining("bad magic") as string },
    ]);
    expect(failure).toBeUndefined();
  });

  it("tells of any other failure", () => {
    const { findings, failure } = summarizeFio(1, JSON_TEXT, "fio: nbd_connect: Connection refused");
    expect(findings).toEqual([]);
    expect(failure).toBe("fio ended with status 1: fio: nbd_connect: Connection refused");
    expect(summarizeFio(0, "", "").failure).toContain("status 0");
  });
});
