import { describe, expect, it } from "vitest";
import { loggedReadBytes } from "../../../../bench/links/read-log.ts";

const AT = "2026-01-01 10:00:00.000000";

describe("loggedReadBytes", () => {
  it("adds up what was asked for, and neither answers nor anything else", () => {
    const log = [
      `${AT} Ready thread_model=3`,
      `${AT} connection=1 Connect export="" tls=0 size=0x400 minsize=0x1 write=1`,
      `${AT} connection=1 Read id=1 offset=0x0 count=0x1000 ...`,
      `${AT} connection=1 Write id=2 offset=0x0 count=0x1000 fua=1 ...`,
      `${AT} connection=2 Read id=1 offset=0xff000 count=0x20 ...`,
      `${AT} connection=1 ...Read id=1 return=0`,
      `${AT} connection=1 Cache id=3 offset=0x1000 count=0x10000 ...`,
      `${AT} connection=1 Disconnect transactions=3`,
    ];
    expect(loggedReadBytes(log.map((line) => `${line}\n`).join(""))).toBe(0x1000 + 0x20 + 0x10000);
  });

  it("finds nothing in an empty log", () => {
    expect(loggedReadBytes("")).toBe(0);
  });
});
