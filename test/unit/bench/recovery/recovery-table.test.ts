import { expect, it } from "vitest";

import { recoveryTable } from "../../../../bench/recovery/recovery-table.ts";

it("recoveryTable has a line per contender, and a dash where there is no time", () => {
  const held = { name: "flexnbd-proxy", outages: 20, failures: 0, medianMs: 54.4, meanMs: 57.6, maxMs: 112.9 };
  const told = { name: "socat", outages: 20, failures: 20, medianMs: null, meanMs: null, maxMs: null };
  expect(recoveryTable([held, told])).toBe(
    [
      "               outages  failed  median ms  mean ms  max ms\n",
      "flexnbd-proxy       20       0         54       58     113\n",
      "socat               20      20          -        -       -\n",
    ].join(""),
  );
});
