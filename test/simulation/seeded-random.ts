import type { Random } from "../../src/ports/random.ts";

/** Randomness that a seed repeats: mulberry32, with the draws that a simulation needs. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#state = Math.imul((seed ^ (seed >>> 16)) + 0x7f4a7c15, 0x85ebca6b) >>> 0;
    this.#draw();
  }

  /** A number in [0, 1). */
  next(): number {
    return this.#draw() / 0x1_0000_0000;
  }

  /** A whole number in [0, limit). */
  integer(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the choices, which must not be empty. */
  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.integer(choices.length)] as Choice;
  }

  /** The same items in any order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const mixed = [...items];
    for (let last = mixed.length - 1; last > 0; last -= 1) {
      const other = this.integer(last + 1);
      [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
    }
    return mixed;
  }

  /** Another source, so that what draws from it does not disturb what draws from this one. */
  fork(): SeededRandom {
    return new SeededRandom(this.#draw());
  }

  #draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
