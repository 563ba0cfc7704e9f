/**
 * Puts off to the end of a turn, in which something is received, what is better done once for all of it. Outside of turns it is
 * put off until the running code is done. Microtasks would do for both, but in a callback of the event loop one of them
 * costs more than what it puts off.
 */
export class Turn {
  readonly #steps: (() => void)[] = [];
  #source: object | undefined;

  /** From whom something is being received; undefined outside of turns. */
  get source(): object | undefined {
    return this.#source;
  }

  /** Something is about to be received from somebody. */
  begin(source: object): void {
    this.#source = source;
  }

  /** It was received: runs what was put off. */
  end(): void {
    this.#run();
    this.#source = undefined;
  }

  /** Runs a step at the end of the turn, once for each call. It may put off others. */
  putOff(step: () => void): void {
    this.#steps.push(step);
    if (this.#source === undefined && this.#steps.length === 1) queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  };
}
