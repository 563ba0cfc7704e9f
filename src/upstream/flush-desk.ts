import type { Reply } from "../disk.ts";
import type { DurabilityCounters } from "../durability/durability-counters.ts";
import { FlushTurn, type SentFlush } from "../durability/flush-turn.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { InFlight } from "./in-flight.ts";
import type { UnflushedLog } from "./unflushed-log.ts";
import type { WriteLatency } from "./write-latency.ts";
import type { WriteTrouble } from "./write-trouble.ts";

/** What a FlushDesk works with. */
export interface FlushDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DurabilityCounters;
  readonly unflushed: UnflushedLog;
  readonly trouble: WriteTrouble;
  readonly latency: WriteLatency;
  /** Whether a FLUSH may be sent now, as far as everything else goes. */
  readonly maySend: () => boolean;
  /** Sends one; `answered` is called unless the connection is lost first. */
  readonly send: (answered: (reply: Reply) => void) => void;
  /** Has everything in the log written again, after which `rewritten` is called and the desk is pumped. */
  readonly rewrite: () => void;
  /** Answers a request that waited for a FLUSH with what the server said to that. */
  readonly complete: (entry: InFlight, reply: Reply) => void;
}

/** Takes the requests that wait for a FLUSH, the proxy's own wish for one, and sends one at a time for all of them. */
export class FlushDesk {
  readonly #options: FlushDeskOptions;
  readonly #turn = new FlushTurn<InFlight>();
  #ageTimer: Timer | undefined;
  #sentMs = 0;
  /** A FLUSH is due when so much is unflushed: little while it takes next to no time, else twice as much each time. */
  #dueBytes = LIMITS.cheapFlushBytes;
  /** Those who are being answered. */
  #answering: Set<InFlight> | undefined;
  /** The error of an own FLUSH that no client was told yet. */
  #latched = 0;

  constructor(options: FlushDeskOptions) {
    this.#options = options;
  }

  /** A request waits for a FLUSH of everything acknowledged so far. */
  join(entry: InFlight): void {
    this.#turn.join(entry);
    this.pump();
  }

  /** It waits no longer. */
  leave(entry: InFlight): void {
    this.#turn.leave(entry);
    this.#answering?.delete(entry);
  }

  /** A FLUSH on the proxy's own account, where there is something to flush, and of course for those who wait. */
  want(): void {
    if (this.#options.unflushed.unstableBytes > 0) this.#turn.want();
    this.pump();
  }

  /** The error of an earlier FLUSH that has to be told now, if there is one; it is told once. */
  takeLatched(): number {
    const error = this.#latched;
    if (error !== 0) this.#options.counters.latchedErrors += 1;
    this.#latched = 0;
    return error;
  }

  /** The next FLUSH or FUA request is told this error. */
  latch(error: number): void {
    this.#latched = error;
  }

  /** A write was acknowledged: it is flushed when it is old, or when there are many. */
  acknowledged(): void {
    // The FLUSH under way makes room; what is due then is seen when it is answered.
    if (this.#turn.free && this.#isDue) this.want();
    this.#watchAge();
  }

  /** Sends a FLUSH if one is wanted and may be sent. */
  pump(): void {
    const turn = this.#turn;
    const { clock, maySend, send, rewrite, trouble, unflushed, counters, latency } = this.#options;
    if (!turn.wanted || !turn.free || !maySend()) return;
    if (turn.rewriteIsDue) {
      if (!trouble.pausing) rewrite();
      return;
    }
    const flush = turn.sent(unflushed.number);
    if (flush.covered.size === 0) counters.ownFlushes += 1;
    unflushed.age.sent();
    latency.flushSent();
    this.#sentMs = clock.nowMs();
    send((reply) => this.#answered(flush, reply));
  }

  /** Everything in the log has been written over this connection. */
  rewritten(): void {
    this.#turn.rewritten();
  }

  /** Not everything in the log could be written over this connection. */
  incomplete(): void {
    this.#turn.rewriteLater();
  }

  /** The connection is lost. */
  lost(): void {
    this.#turn.lost();
    this.#options.unflushed.age.failed();
  }

  /** No timer is left running. */
  close(): void {
    this.#ageTimer?.cancel();
    this.#ageTimer = undefined;
  }

  #answered(flush: SentFlush<InFlight>, reply: Reply): void {
    const { clock, unflushed, complete, latency } = this.#options;
    const { error } = reply;
    latency.flushAnswered();
    this.#answering = flush.covered;
    const stableUpTo = this.#turn.answered(flush, error === 0);
    if (stableUpTo === undefined) this.#failed(flush, error);
    else {
      const isCheap = clock.nowMs() - this.#sentMs <= latency.ms + LIMITS.cheapFlushMs;
      this.#dueBytes = isCheap ? LIMITS.cheapFlushBytes : 2 * this.#dueBytes;
      unflushed.age.succeeded();
      unflushed.trim(stableUpTo);
      this.#options.trouble.over();
    }
    for (const entry of flush.covered) complete(entry, reply);
    this.#answering = undefined;
    if (this.#isDue) this.#turn.want();
    this.#watchAge();
    this.pump();
  }

  /** So much is unflushed that the next FLUSH must not wait for its time. */
  get #isDue(): boolean {
    const { crowded, unstableBytes } = this.#options.unflushed;
    return crowded || unstableBytes >= this.#dueBytes;
  }

  #failed(flush: SentFlush<InFlight>, error: number): void {
    const { unflushed, counters, log, trouble } = this.#options;
    unflushed.age.failed();
    counters.failedFlushes += 1;
    if (flush.covered.size === 0) {
      this.#latched = error;
      log.error(`the server failed to flush (error ${error}); the next client that flushes is told`);
    } else log.warning(`the server failed to flush (error ${error})`);
    trouble.refused(() => this.#again(), unflushed.crowded);
  }

  #again(): void {
    // Nobody asks any more, and nothing is at stake.
    if (!this.#turn.wanted && this.#options.unflushed.unstableBytes === 0) this.#options.trouble.over();
    else this.want();
  }

  /** One timer for all: it runs while something waits that no FLUSH covers. */
  #watchAge(): void {
    const { clock, unflushed } = this.#options;
    const sinceMs = unflushed.age.uncoveredMs;
    if (sinceMs === undefined || this.#ageTimer !== undefined || unflushed.unstableBytes === 0) return;
    // A little later rather than a little earlier: a timer that comes before its time would run again and again.
    const leftMs = Math.floor(Math.max(0, sinceMs + LIMITS.flushAgeMs - clock.nowMs())) + 1;
    this.#ageTimer = clock.setTimer(leftMs, () => {
      this.#ageTimer = undefined;
      const oldMs = clock.nowMs() - (unflushed.age.uncoveredMs ?? Infinity);
      if (oldMs >= LIMITS.flushAgeMs) this.want();
      else this.#watchAge();
    });
  }
}
