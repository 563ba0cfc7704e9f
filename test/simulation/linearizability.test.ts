import { describe, expect, it } from "vitest";
import { BROKEN, ZEROS } from "./block-content.ts";
import {
  type BlockDoubt,
  type BlockHistory,
  type BlockRead,
  type BlockWrite,
  compareZones,
  notLinearizable,
  searchOrder,
} from "./linearizability.ts";
import { SeededRandom } from "./seeded-random.ts";

const wrote = (value: number, start: number, end: number, certain = true) => ({ value, start, end, certain });
const read = (value: number, start: number, end: number) => ({ value, start, end });
const INITIALLY = wrote(1, 0, 0);

interface Written {
  readonly writes: readonly BlockWrite[];
  readonly reads: readonly BlockRead[];
  readonly doubts?: readonly BlockDoubt[];
  readonly tears?: boolean;
}

const verdict = ({ writes, reads, doubts = [], tears = false }: Written): string | undefined =>
  notLinearizable({ writes, reads, doubts, tears });

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

const failed = (value: number, start: number, end: number): BlockDoubt => ({ value, start, end });
const trimmed = (start: number, end: number): BlockDoubt => ({ value: undefined, start, end });

/** An operation of a block that lives through its history: what it is, and when it takes effect. */
interface Acting {
  readonly kind: "write" | "fail" | "trim" | "read";
  readonly value: number;
  readonly start: number;
  readonly effect: number;
  readonly end: number;
}

/** A history as a block may have it that forgets failed writes and brings them back, and whatever it likes after a TRIM. */
function livedHistory(random: SeededRandom): Required<Written> {
  const acts = Array.from({ length: 14 }, (_, index): Acting => {
    const [start = 0, effect = 0, end = 0] = Array.from({ length: 3 }, () => random.next() * 40 + 1).sort(
      (one, other) => one - other,
    );
    return {
      kind: random.pick(["write", "fail", "trim", "read", "read", "read"]),
      value: index + 2,
      start,
      effect,
      end,
    };
  }).sort((one, other) => one.effect - other.effect);
  const reads: BlockRead[] = [];
  let value = INITIALLY.value;
  let ghosts: Acting[] = [];
  for (const act of acts) {
    if (act.kind === "write") {
      ({ value } = act);
      ghosts = ghosts.filter((ghost) => ghost.end > act.start);
    } else if (act.kind === "read") {
      const older = acts.filter(
        (other) => other.effect < act.effect && (other.kind === "write" || other.kind === "fail"),
      );
      const shown = ghosts.flatMap((ghost) => (ghost.kind === "trim" ? [...older, { value: ZEROS }] : [ghost]));
      const seen = random.chance(0.5) ? value : random.pick([{ value }, ...shown]).value;
      reads.push(read(seen, act.start, act.end));
    } else {
      ghosts.push(act);
    }
  }
  const writes = acts.filter((act) => act.kind === "write").map((act) => wrote(act.value, act.start, act.end));
  const doubts = acts
    .filter((act) => act.kind === "fail" || act.kind === "trim")
    .map((act) => (act.kind === "fail" ? failed(act.value, act.start, act.end) : trimmed(act.start, act.end)));
  return { writes: [INITIALLY, ...writes], reads, doubts, tears: false };
}

describe("a block in doubt", () => {
  const old = wrote(2, 1, 2);
  const doubts = [failed(3, 5, 6)];

  it("may show a failed write and what was there before in turns", () => {
    const reads = [read(3, 7, 8), read(2, 9, 10), read(3, 11, 12), read(2, 13, 14)];
    expect(verdict({ writes: [INITIALLY, old], doubts, reads })).toBeUndefined();
  });

  it("shows nothing older, though", () => {
    expect(verdict({ writes: [INITIALLY, old], doubts, reads: [read(1, 7, 8)] })).toBeDefined();
    expect(verdict({ writes: [INITIALLY, old], doubts, reads: [read(3, 3, 4)] })).toBeDefined();
  });

  it("is settled by an acknowledged write that began after the failure", () => {
    const writes = [INITIALLY, old, wrote(4, 10, 12)];
    expect(verdict({ writes, doubts, reads: [read(3, 11, 13), read(4, 14, 15)] })).toBeUndefined();
    expect(verdict({ writes, doubts, reads: [read(3, 13, 14)] })).toContain("had failed before");
    expect(verdict({ writes, doubts, reads: [read(2, 13, 14)] })).toBeDefined();
  });

  it("is not settled by one that began before it", () => {
    const writes = [INITIALLY, old, wrote(4, 4, 9)];
    expect(verdict({ writes, doubts, reads: [read(3, 10, 11), read(4, 12, 13), read(3, 14, 15)] })).toBeUndefined();
    expect(verdict({ writes, doubts, reads: [read(2, 10, 11)] })).toBeDefined();
  });

  it("may show anything older after a TRIM, zeros, and torn blocks where those can be", () => {
    const writes = [INITIALLY, old, wrote(4, 20, 21)];
    const trim = [trimmed(5, 6)];
    const reads = [read(2, 7, 8), read(ZEROS, 9, 10), read(1, 11, 12)];
    expect(verdict({ writes, doubts: trim, reads })).toBeUndefined();
    expect(verdict({ writes, doubts: trim, reads: [read(4, 7, 8)] })).toBeDefined();
    expect(verdict({ writes, doubts: trim, reads: [read(2, 22, 23)] })).toBeDefined();
    const torn = { writes, doubts: trim, reads: [read(BROKEN, 7, 8)] };
    expect(verdict({ ...torn, tears: true })).toBeUndefined();
    expect(verdict({ ...torn, tears: false })).toContain("nobody wrote");
  });

  it("is never condemned for what it may do", () => {
    const random = new SeededRandom(11);
    for (let round = 0; round < 5000; round += 1) {
      const history = livedHistory(random);
      expect({ history, why: verdict(history) }).toEqual({ history, why: undefined });
    }
  });
});

describe("a block's history", () => {
  it("may show either of two writes that overlap in time, and stay with it", () => {
    const writes = [INITIALLY, wrote(2, 1, 5), wrote(3, 2, 6)];
    expect(verdict({ writes, reads: [read(2, 7, 8), read(2, 9, 10)] })).toBeUndefined();
    expect(verdict({ writes, reads: [read(2, 7, 8), read(3, 9, 10)] })).toBeDefined();
  });

  it("may not lose an acknowledged write", () => {
    expect(verdict({ writes: [INITIALLY, wrote(2, 1, 2)], reads: [read(1, 3, 4)] })).toBeDefined();
  });

  it("may lose a write that was not acknowledged, but not once it was seen", () => {
    const writes = [INITIALLY, wrote(2, 1, Infinity, false)];
    expect(verdict({ writes, reads: [read(1, 3, 4), read(2, 5, 6)] })).toBeUndefined();
    expect(verdict({ writes, reads: [read(2, 3, 4), read(1, 5, 6)] })).toBeDefined();
  });

  it("tells two writes of zeros apart by their times", () => {
    const writes = [INITIALLY, wrote(ZEROS, 1, 2), wrote(2, 3, 4), wrote(ZEROS, 7, 9)];
    expect(verdict({ writes, reads: [read(2, 5, 6), read(ZEROS, 8, 10)] })).toBeUndefined();
    expect(verdict({ writes, reads: [read(ZEROS, 5, 6)] })).toBeDefined();
  });

  it("may not show bytes that nobody wrote", () => {
    expect(verdict({ writes: [INITIALLY], reads: [read(BROKEN, 1, 2)] })).toContain("nobody wrote");
    expect(verdict({ writes: [INITIALLY], reads: [read(9, 1, 2)] })).toContain("never written");
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
