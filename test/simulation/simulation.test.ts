import { describe, expect, it } from "vitest";
import { HARD_WORLDS } from "./hard-worlds.ts";
import { MUTATIONS } from "./mutations.ts";
import { runHistory } from "./run-history.ts";
import { campaignText, simulate } from "./simulate.ts";

/** How long fresh histories are looked for; SIMULATION_SECONDS asks for more. */
const FRESH_MS = Number(process.env["SIMULATION_SECONDS"] ?? (process.env["CI"] === undefined ? "20" : "60")) * 1000;

/** Seeds whose histories went wrong once, and what was wrong. A seed means the same only as long as scenarios are drawn alike. */
const KEPT_SEEDS: readonly (readonly [seed: number, wrong: string])[] = [
  [6, "a READ with a flag that the server had lost was answered without its data"],
  [
    113737,
    "the proxy itself cut a connection that the strict fence leaves to the server, for what came behind ESHUTDOWN",
  ],
  [142251, "the same; it then waited for ever for the server to end it"],
  [307677, "a BLOCK_STATUS that nobody waited for any more was sent to a server without metadata contexts"],
];

/** Where to look for what the controls of the rarer kinds break; the others are found soon, wherever one begins. */
const EXPOSING_SEEDS: Readonly<Record<string, number>> = {
  "lost-write": 137,
  nobarrier: 637,
  fifo: 609,
  trimall: 100,
  noquiesce: 52,
  "pin-without-gate": 78,
  "pin-without-status": 2,
  "gap-accepted": 8,
  "error-after-data": 31,
};

async function expectNone(firstSeed: number, histories: number): Promise<void> {
  const { failures } = await simulate({ firstSeed, histories });
  expect(failures.map((failure) => failure.text).join("\n")).toBe("");
}

describe("a simulated world", () => {
  it.each(KEPT_SEEDS)("stays right in the history of seed %i: %s", async (seed) => {
    await expectNone(seed, 1);
  });

  it(
    "shows clients one disk, answers each request once, and leaves nothing behind, whatever fails",
    async () => {
      const firstSeed = Math.floor(Math.random() * 2 ** 31);
      console.log(`simulation: first seed ${firstSeed}`);
      const report = await simulate({ firstSeed, durationMs: FRESH_MS });
      console.log(`simulation: ${campaignText(report)}`);
      expect(report.failures.map((failure) => failure.text).join("\n")).toBe("");
      expect(report.faults).toBeGreaterThan(report.histories);
    },
    FRESH_MS + 30_000,
  );

  it("is the same each time it is run from the same seed", async () => {
    for (const seed of [1, 2, 3]) {
      const [once, again] = [await runHistory(seed, { traced: true }), await runHistory(seed, { traced: true })];
      expect(again).toEqual(once);
    }
  });

  it.each(Object.keys(HARD_WORLDS))(
    "is right as well where the controls look for trouble: %s",
    async (world) => {
      const { failures } = await simulate({ firstSeed: 1, histories: 100, world });
      expect(failures.map((failure) => failure.text).join("\n")).toBe("");
    },
    60_000,
  );
});

describe("the simulation finds", () => {
  for (const [mutation, { breaks }] of Object.entries(MUTATIONS)) {
    it(`${mutation}: ${breaks}`, async () => {
      const { failures } = await simulate({ firstSeed: EXPOSING_SEEDS[mutation] ?? 1, histories: 10_000, mutation });
      expect(failures).toHaveLength(1);
    }, 120_000);
  }
});
