import { describe, expect, it } from "vitest";
import { replayedBytes } from "../../../../bench/power-loss/replayed-bytes.ts";

describe("replayedBytes", () => {
  it("is that of the last outage", () => {
    const line = (bytes: number): string =>
      `1:W:upstream: server tcp:127.0.0.1:10809: connected again after 0.6 s, attempt 5: 0 requests sent again, ${bytes} bytes replayed, 0 bytes pinned\n`;
    expect(replayedBytes(`${line(4096)}something else\n${line(67_108_864)}`)).toBe(67_108_864);
  });

  it("is undefined while there was none", () => {
    expect(replayedBytes("1:W:upstream: the server is gone\n")).toBeUndefined();
  });
});
