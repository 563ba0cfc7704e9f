import { expect, it } from "vitest";

import { garbageTable } from "../../../../bench/garbage/garbage-table.ts";

it("garbageTable has a line per program, and a dash where there is no figure", () => {
  const busy = {
    operationsPerSecond: 40_000.4,
    bytesPerRequest: 1180.6,
    scavengesPerSecond: 3.14,
    collectingShare: 0.0123,
  };
  const calm = { operationsPerSecond: 100, bytesPerRequest: null, scavengesPerSecond: null, collectingShare: null };
  expect(
    garbageTable([
      { name: "busy", ...busy },
      { name: "calm", ...calm },
    ]),
  ).toBe(
    [
      "       op/s  bytes/op  scavenges/s  collecting %\n",
      "busy  40000      1181          3.1          1.23\n",
      "calm    100         -            -             -\n",
    ].join(""),
  );
});
