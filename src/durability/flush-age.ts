/** How long the oldest acknowledged write has been waiting for a FLUSH. */
export class FlushAge {
  /** Since when something has been waiting that no FLUSH at the server covers; */
  #uncoveredSinceMs: number | undefined;
  /** and that one does. */
  #coveredSinceMs: number | undefined;

  /** Since when the oldest one waits; undefined when none does. */
  get oldestMs(): number | undefined {
    return this.#coveredSinceMs ?? this.#uncoveredSinceMs;
  }

  /** Since when the oldest one waits for a FLUSH that has yet to be sent. */
  get uncoveredMs(): number | undefined {
    return this.#uncoveredSinceMs;
  }

  /** A write was acknowledged. */
  acknowledged(nowMs: number): void {
    this.#uncoveredSinceMs ??= nowMs;
  }

  /** A FLUSH was sent. */
  sent(): void {
    this.#coveredSinceMs ??= this.#uncoveredSinceMs;
    this.#uncoveredSinceMs = undefined;
  }

  /** It succeeded. */
  succeeded(): void {
    this.#coveredSinceMs = undefined;
  }

  /** It failed, or was lost with its connection. */
  failed(): void {
    this.#uncoveredSinceMs = this.oldestMs;
    this.#coveredSinceMs = undefined;
  }

  /** Nothing waits any more. */
  clear(): void {
    this.#uncoveredSinceMs = undefined;
    this.#coveredSinceMs = undefined;
  }
}
