import { describe, expect, it } from "vitest";
import { Choices } from "./choices.ts";

/** All sequences that a run makes which is told what to choose. */
function allOf(run: (choices: Choices) => void): string[] {
  const choices = new Choices();
  const seen: string[] = [];
  do {
    run(choices);
    seen.push(choices.taken.join(""));
  } while (choices.advance());
  return seen;
}

describe("Choices", () => {
  it("are all taken, each sequence once, the last choice changing first", () => {
    const seen = allOf((choices) => {
      choices.choose(2);
      choices.choose(3);
    });
    expect(seen).toEqual(["00", "01", "02", "10", "11", "12"]);
  });

  it("may depend on those before", () => {
    const seen = allOf((choices) => {
      for (let left = choices.choose(3); left > 0; left -= 1) choices.choose(2);
    });
    expect(seen).toEqual(["0", "10", "11", "200", "201", "210", "211"]);
  });

  it("leave out what is behind the place at which a run is given up", () => {
    const seen = allOf((choices) => {
      if (choices.choose(2) === 0 && choices.choose(2) === 0) return;
      choices.choose(2);
    });
    expect(seen).toEqual(["00", "010", "011", "10", "11"]);
  });

  it("can be made again", () => {
    const choices = new Choices();
    choices.follow([1, 2]);
    expect([choices.choose(3), choices.choose(3), choices.choose(3), choices.depth]).toEqual([1, 2, 0, 3]);
  });
});
