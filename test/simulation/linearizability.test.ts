import { describe, expect, it } from "vitest";
import { BROKEN, ZEROS } from "./block-content.ts";
import { type BlockHistory, compareZones, notLinearizable, searchOrder } from "./linearizability.ts";
import { SeededRandom } from "./seeded-random.ts";

const wrote = (value: number, start: number, end: number, certain = true) => ({ value, start, end, certain });
const read = (value: number, start: number, end: number) => ({ value, start, end });
const INITIALLY = wrote(1, 0, 0);

/** A third opinion, slow and simple: tries every order of every choice of uncertain writes. */
function someOrderExplains({ writes, reads }: BlockHistory): boolean {
  const steps = [
    ...writes.map((write) => ({ ...write, reads: false })),
    ...reads.map((one) => ({ ...one, reads: true })),
  ];
  const place = (left: typeof steps, value: number): boolean => {
    if (left.every((step) => !step.reads && "certain" in step && !step.certain)) return true;
    return left.some((step) => {
      const others = left.filter((other) => other !== step);
      // Uncertain writes need not happen at all, so that they hold nobody up.
      const mustWait = others.some((other) => other.end < step.start && !("certain" in other && !other.certain));
      const leftBehind = others.filter((other) => !("certain" in other && !other.certain && other.end < step.start));
      if (mustWait || (step.reads && step.value !== value)) return false;
      return place(leftBehind, step.value);
    });
  };
  return place(steps, BROKEN);
}

function randomHistory(random: SeededRandom, unique: boolean): BlockHistory {
  const moments = Array.from({ length: 18 }, (_, index) => index + 1).sort(() => random.next() - 0.5);
  const span = (): [number, number] => {
    const [one = 0, other = 0] = [moments.pop(), moments.pop()];
    return [Math.min(one, other), Math.max(one, other)];
  };
  const writes = [INITIALLY];
  for (let value = 2; value < 6; value += 1) {
    const [start, end] = span();
    const certain = random.chance(0.7);
    const shown = unique || random.chance(0.5) ? value : ZEROS;
    writes.push(wrote(shown, start, certain || random.chance(0.5) ? end : Infinity, certain));
  }
  const reads = Array.from({ length: 5 }, () => read(random.pick(writes).value, ...span()));
  return { writes, reads };
}

describe("a block's history", () => {
  it("may show either of two writes that overlap in time, and stay with it", () => {
    const writes = [INITIALLY, wrote(2, 1, 5), wrote(3, 2, 6)];
    expect(notLinearizable({ writes, reads: [read(2, 7, 8), read(2, 9, 10)] })).toBeUndefined();
    expect(notLinearizable({ writes, reads: [read(2, 7, 8), read(3, 9, 10)] })).toBeDefined();
  });

  it("may not lose an acknowledged write", () => {
    expect(notLinearizable({ writes: [INITIALLY, wrote(2, 1, 2)], reads: [read(1, 3, 4)] })).toBeDefined();
  });

  it("may lose a write that was not acknowledged, but not once it was seen", () => {
    const writes = [INITIALLY, wrote(2, 1, Infinity, false)];
    expect(notLinearizable({ writes, reads: [read(1, 3, 4), read(2, 5, 6)] })).toBeUndefined();
    expect(notLinearizable({ writes, reads: [read(2, 3, 4), read(1, 5, 6)] })).toBeDefined();
  });

  it("tells two writes of zeros apart by their times", () => {
    const writes = [INITIALLY, wrote(ZEROS, 1, 2), wrote(2, 3, 4), wrote(ZEROS, 7, 9)];
    expect(notLinearizable({ writes, reads: [read(2, 5, 6), read(ZEROS, 8, 10)] })).toBeUndefined();
    expect(notLinearizable({ writes, reads: [read(ZEROS, 5, 6)] })).toBeDefined();
  });

  it("may not show bytes that nobody wrote", () => {
    expect(notLinearizable({ writes: [INITIALLY], reads: [read(BROKEN, 1, 2)] })).toContain("nobody wrote");
    expect(notLinearizable({ writes: [INITIALLY], reads: [read(9, 1, 2)] })).toContain("never written");
  });

  it("is judged alike by zones, by search and by trying every order", () => {
    const random = new SeededRandom(7);
    const verdicts = { right: 0, wrong: 0 };
    for (let round = 0; round < 3000; round += 1) {
      const unique = round % 2 === 0;
      const history = randomHistory(random, unique);
      const right = someOrderExplains(history);
      verdicts[right ? "right" : "wrong"] += 1;
      const searched = searchOrder(history) === undefined;
      expect({ history, right: searched }).toEqual({ history, right });
      if (unique) expect({ history, right: compareZones(history) === undefined }).toEqual({ history, right });
    }
    expect(Math.min(verdicts.right, verdicts.wrong)).toBeGreaterThan(100);
  });
});
