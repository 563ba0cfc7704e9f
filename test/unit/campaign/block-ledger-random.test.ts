import { describe, expect, it } from "vitest";

import { BlockLedger } from "../../../campaign/block-ledger.ts";
import { BLOCK_BYTES, writeTags } from "../../../campaign/block-tag.ts";
import type { Operation } from "../../../campaign/operation.ts";
import { INITIAL } from "../../simulation/block-content.ts";
import { compareZones } from "../../simulation/linearizability.ts";
import type { BlockHistory } from "../../simulation/linearizability.ts";
import { SeededRandom } from "../../simulation/seeded-random.ts";

const HISTORIES = 3000;
const STEPS = 60;
const MOST_AT_ONCE = 5;

interface RandomRead {
  readonly operation: Operation;
  readonly value: number;
}

/** A history of one block, told to a ledger as it happens, and kept to be judged as a whole. */
class RandomHistory {
  readonly #random: SeededRandom;
  readonly #ledger = new BlockLedger(1);
  readonly #open: Operation[] = [];
  readonly #writes: Operation[] = [];
  readonly #reads: RandomRead[] = [];
  /** What a real block would hold, and how often a read finds something else. */
  #value = 0;
  readonly #liesShare: number;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#liesShare = this.#random.pick([0, 0.02, 0.1]);
  }

  /** Whether the ledger has found anything wrong; it is asked no more after that. */
  run(): boolean {
    for (let step = 0; step < STEPS; step++) {
      if (this.#open.length === 0 || (this.#open.length < MOST_AT_ONCE && this.#random.chance(0.5))) this.#begin();
      else if (this.#end()) return true;
    }
    return false;
  }

  whole(): BlockHistory {
    return {
      writes: [
        { value: INITIAL, start: 0, end: 0, certain: true },
        ...this.#writes.map(({ value, start, end }) => ({
          value: value + INITIAL,
          start,
          end,
          certain: end < Infinity,
        })),
      ],
      reads: this.#reads.map(({ value, operation: { start, end } }) => ({ value: value + INITIAL, start, end })),
    };
  }

  #begin(): void {
    const kind = this.#random.chance(0.4) ? "write" : "read";
    const operation = this.#ledger.begin({ kind, firstBlock: 0, blocks: 1, fua: false });
    this.#open.push(operation);
    if (kind === "write") {
      this.#writes.push(operation);
      // It may take effect at once, or when it is answered.
      if (this.#random.chance(0.5)) this.#value = operation.value;
    }
  }

  #end(): boolean {
    const [operation] = this.#open.splice(this.#random.integer(this.#open.length), 1);
    if (operation === undefined) return false;
    if (operation.kind === "write") {
      if (this.#random.chance(0.3)) this.#value = operation.value;
      this.#ledger.finish(operation, 0, Buffer.alloc(0));
      return false;
    }
    const value = this.#random.chance(this.#liesShare) ? this.#anyValue() : this.#value;
    this.#reads.push({ operation, value });
    const data = Buffer.alloc(BLOCK_BYTES);
    if (value > 0) writeTags(data, 0, value, 0);
    return this.#ledger.finish(operation, 0, data).length > 0;
  }

  #anyValue(): number {
    return this.#random.integer(this.#writes.length + 1);
  }
}

describe("BlockLedger", () => {
  it("judges random histories, as they happen, like one who knows them as a whole", () => {
    let wrong = 0;
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const history = new RandomHistory(seed);
      const isWrong = history.run();
      expect(isWrong, `seed ${seed}`).toBe(compareZones(history.whole()) !== undefined);
      if (isWrong) wrong += 1;
    }
    expect(wrong).toBeGreaterThan(HISTORIES / 10);
    expect(wrong).toBeLessThan((HISTORIES * 9) / 10);
  });
});
