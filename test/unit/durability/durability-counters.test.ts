import { expect, it } from "vitest";

import { durabilityCounters } from "../../../src/durability/durability-counters.ts";

it("begins to count at zero, for each export on its own", () => {
  const counters = durabilityCounters();
  expect(Object.keys(counters)).toHaveLength(13);
  expect(new Set(Object.values(counters))).toEqual(new Set([0]));
  counters.replays += 1;
  expect(durabilityCounters().replays).toBe(0);
});
