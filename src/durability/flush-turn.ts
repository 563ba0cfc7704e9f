import { INVARIANTS } from "./invariants.ts";

/** A FLUSH that is at the server. */
export interface SentFlush<Waiter> {
  /** The number of the youngest fragment in the log when it was sent: what it makes stable is not younger. */
  readonly number: number;
  /** Those whom it answers: they asked before it was sent. Who leaves is taken out. */
  readonly covered: Set<Waiter>;
}

/**
 * Whose turn it is to FLUSH. One is at the server at a time; whoever asks meanwhile shares the next one. After a failed one
 * everything unflushed has to be written again before the next: the server may count as clean what it could not
 * write.
 */
export class FlushTurn<Waiter> {
  #waiting = new Set<Waiter>();
  readonly #atServer = new Set<SentFlush<Waiter>>();
  #ownIsWanted = false;
  #rewriteIsDue = false;

  /** Somebody wants a FLUSH that is not at the server yet. */
  get wanted(): boolean {
    return this.#ownIsWanted || this.#waiting.size > 0;
  }

  /** Whether one may be sent. */
  get free(): boolean {
    return this.#atServer.size === 0;
  }

  /** The last one failed, so that everything in the log has to be written again before the next. */
  get rewriteIsDue(): boolean {
    return this.#rewriteIsDue;
  }

  /** Asks for a FLUSH of everything acknowledged so far. */
  join(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  /** The proxy asks on its own account. */
  want(): void {
    this.#ownIsWanted = true;
  }

  /** Asks no longer. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    for (const flush of this.#atServer) flush.covered.delete(waiter);
  }

  /** A FLUSH is sent, when `number` is the youngest in the log: it answers everybody who has asked. */
  sent(number: number): SentFlush<Waiter> {
    INVARIANTS.check(this.#atServer.size === 0, "I4", "two FLUSHes are at the server at once");
    const flush = { number, covered: this.#waiting };
    this.#waiting = new Set();
    this.#ownIsWanted = false;
    this.#atServer.add(flush);
    return flush;
  }

  /** The server answered it. Returns up to which number the log is stable now; undefined when nothing became so. */
  answered(flush: SentFlush<Waiter>, succeeded: boolean): number | undefined {
    this.#atServer.delete(flush);
    if (!succeeded) this.#rewriteIsDue = true;
    return succeeded ? flush.number : undefined;
  }

  /** Everything in the log was written again over this connection. */
  rewritten(): void {
    this.#rewriteIsDue = false;
  }

  /** Not everything could be written again: that has to be done before the next FLUSH. */
  rewriteLater(): void {
    this.#rewriteIsDue = true;
  }

  /** The connection is lost, and with it what was at the server: those that waited for it ask again. */
  lost(): void {
    const waiting = [...this.#waiting];
    this.#waiting = new Set([...this.#atServer].flatMap(({ covered }) => [...covered]).concat(waiting));
    this.#atServer.clear();
  }
}
