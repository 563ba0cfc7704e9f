import { expect, it } from "vitest";

import { idleUsage } from "../../../../bench/soak/idle-usage.ts";

it("idleUsage tells what was used per second", () => {
  const before = { residentKib: 60_000, cpuMs: 1000, waits: 500 };
  const after = { residentKib: 50_000, cpuMs: 1003, waits: 515 };
  expect(idleUsage(before, after, 30)).toEqual({ cpuMsPerSecond: 0.1, wakeUpsPerSecond: 0.5 });
});
