import { expect, it } from "vitest";
import { resultText } from "../../../src/demo/demo-result.ts";
import { paintFor } from "../../../src/demo/paint.ts";

it("the result names the checksums, the kills and the longest wait, and says what to do next", () => {
  const result = {
    sizeBytes: 256 * 1024 * 1024,
    writtenChecksum: "aa55",
    readChecksum: "aa55",
    kills: 8,
    lostBytes: 61.5 * 1024 * 1024,
    awayMs: 8812,
    longestWaitMs: 2249,
  };
  const text = resultText(result, paintFor(false, {}));
  expect(text).toContain("256 MiB");
  expect(text).toMatch(/before +aa55\n.*after +aa55\n/);
  expect(text).toContain("killed 8 times, away for 8.8 s");
  expect(text).toContain("61.5 MiB that it had acknowledged; nothing of that is missing");
  expect(text).toContain("longest wait for an answer 2.2 s");
  expect(text).toMatch(/flexnbd-proxy --addr .* --conn-addr SERVER/);
  expect(text).toContain("--help");
  expect(text).toContain("README");
});
