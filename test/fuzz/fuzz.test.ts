import { describe, expect, it } from "vitest";
import { FUZZ_TARGETS, INPUT_SIZE, runTarget } from "./run-fuzz.ts";

/** A new seed each time: what it finds is repeated with scripts/fuzz.mjs. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const MS_PER_TARGET = { parser: 1_000, connection: 3_000 } as const;

describe(`hostile input, seed ${SEED}`, () => {
  it.each(FUZZ_TARGETS)("is taken as it should be by $name", { timeout: 60_000 }, async (target) => {
    const deadlineMs = MS_PER_TARGET[target.level];
    const run = { firstSeed: SEED, inputs: Number.POSITIVE_INFINITY, size: INPUT_SIZE, deadlineMs };
    const { failure, inputs, elapsedMs } = await runTarget(target, run);
    console.log(
      `${target.name}: ${inputs} inputs from seed ${SEED}, ${Math.round((inputs / elapsedMs) * 1000)} per second`,
    );
    const again = `npm run fuzz -- --target ${target.name} --seed ${failure?.seed} --inputs 1`;
    expect(failure?.error, again).toBeUndefined();
    expect(inputs).toBeGreaterThan(10);
  });
});
