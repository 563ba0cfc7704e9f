/**
 * Puts off to the end of a turn, in which something is received, what is better done once for all of it. Outside of turns it is
 * put off until the running code is done. Microtasks would do for both, but in a callback of the event loop one of them
 * costs more than the work that it puts off.
 */
export class Turn {
  readonly #steps: (() => void)[] = [];
  #begun = false;

  /** Something is about to be received. */
  begin(): void {
    this.#begun = true;
  }

  /** It was received: runs what was put off. */
  readonly end = (): void => {
    this.#begun = true;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
    this.#begun = false;
  };

  /** Runs a step at the end of the turn, once for each call. It may put off others. */
  putOff(step: () => void): void {
    this.#steps.push(step);
    if (!this.#begun && this.#steps.length === 1) queueMicrotask(this.end);
  }
}
