/** Walks through all sequences of choices, depth first: each run is told what to choose, and goes on with the first of everything. */
export class Choices {
  readonly #taken: number[] = [];
  readonly #counts: number[] = [];
  #at = 0;

  /** The sequence so far, of this run. */
  get taken(): readonly number[] {
    return this.#taken.slice(0, this.#at);
  }

  /** How many choices this run has made. */
  get depth(): number {
    return this.#at;
  }

  /** Which of so many to take, from 0. */
  choose(count: number): number {
    const at = this.#at;
    this.#at += 1;
    if (at === this.#taken.length) {
      this.#taken.push(0);
      this.#counts.push(count);
    } else this.#counts[at] = count;
    return this.#taken[at] ?? 0;
  }

  /** Prepares the next run, which differs in the latest choice that this one made and can make otherwise; false when there is none. */
  advance(): boolean {
    this.#taken.length = this.#at;
    this.#counts.length = this.#at;
    this.#at = 0;
    while (this.#taken.length > 0) {
      const next = (this.#taken.pop() ?? 0) + 1;
      if (next < (this.#counts.at(-1) ?? 0)) {
        this.#taken.push(next);
        return true;
      }
      this.#counts.pop();
    }
    return false;
  }

  /** Has the next run make these choices. */
  follow(taken: readonly number[]): void {
    this.#taken.splice(0, this.#taken.length, ...taken);
    this.#counts.splice(0, this.#counts.length, ...taken.map(() => 0));
    this.#at = 0;
  }
}
