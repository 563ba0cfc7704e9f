import { Finding } from "./fuzz-target.ts";

/** Counts what the code under test does to its surroundings: whoever spins passes the limit. */
export class StepLimit {
  readonly #limit: number;
  #steps = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  step(): void {
    this.#steps += 1;
    // Thrown where it spins, and found again by `check` when somebody swallows it there.
    if (this.#steps > this.#limit) throw this.#finding();
  }

  check(): void {
    if (this.#steps > this.#limit) throw this.#finding();
  }

  #finding(): Finding {
    return new Finding(`more than ${this.#limit} steps`);
  }
}
