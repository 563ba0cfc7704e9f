import { expect, it } from "vitest";

import { soakTable } from "../../../../bench/soak/soak-table.ts";

it("soakTable has a table of the memory and one of the rest", () => {
  const row = {
    name: "flexnbd-proxy",
    quartersMib: [60, 61.25, 61.5, 61.51],
    peakMib: 64,
    slopeMibPerMinute: null,
    idleConnected: { cpuMsPerSecond: 0.0384, wakeUpsPerSecond: 0.17 },
    idleAlone: { cpuMsPerSecond: 0, wakeUpsPerSecond: 0 },
  };
  expect(soakTable([row])).toBe(
    [
      "memory in MiB   1/4   1/2   3/4   end  peak  MiB/min\n",
      "flexnbd-proxy  60.0  61.3  61.5  61.5  64.0        -\n",
      "\n",
      "idle                              cpu ms/s  wake-ups/s\n",
      "flexnbd-proxy, clients connected     0.038        0.17\n",
      "flexnbd-proxy, no clients            0.000        0.00\n",
    ].join(""),
  );
});
