import { expect, it } from "vitest";

import { workloadText } from "../../../bench/workload-text.ts";

it.each([
  [{ pattern: "randread", blockSizeBytes: 4096, depth: 4 }, "random reads of 4 KiB, 4 in flight"],
  [{ pattern: "write", blockSizeBytes: 1 << 20, depth: 1 }, "writes in sequence of 1 MiB, 1 in flight"],
] as const)("tells %j", (workload, text) => {
  expect(workloadText({ name: "w", ...workload })).toBe(text);
});
