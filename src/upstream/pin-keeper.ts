import type { DurabilityCounters } from "../durability/durability-counters.ts";
import type { Pin } from "../durability/pinned-ranges.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { InFlight } from "./in-flight.ts";
import type { UnflushedLog } from "./unflushed-log.ts";

/** What a PinKeeper works with. */
export interface PinKeeperOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DurabilityCounters;
  readonly unflushed: UnflushedLog;
  /** How long a pin lasts; 0: nothing is pinned. */
  readonly pinMs: number;
  /** Whether requests may be sent. */
  readonly isOpen: () => boolean;
  /** Writes what the log has of a range again, in its turn among overlapping writes; `answered` unless the connection is lost first. */
  readonly rewrite: (pin: Pin, answered: (error: number) => void) => void;
  /** The READs, and BLOCK_STATUS, that are at the server now. */
  readonly readsUnderWay: () => Iterable<InFlight>;
  /** Pins have ended, and what was under them is in the log like anything else. */
  readonly lifted: () => void;
}

/**
 * Pins the ranges of writes that were unanswered at a loss, and takes the pins away when their time has come: the newest
 * content is written again, over whatever was carried out late, and once no read is under way that may have seen what was
 * there before, reads go without it.
 */
export class PinKeeper {
  readonly #options: PinKeeperOptions;
  #timer: Timer | undefined;
  /** The pins that are being taken away, and the rewrites and reads that have to be answered before. */
  #ending: readonly Pin[] = [];
  #endedMs = 0;
  #rewrites = 0;
  #rewriteFailed = false;
  readonly #reads = new Set<InFlight>();
  /** Waits for the end of all pins, which is not waited for any more. */
  #finished: (() => void) | undefined;

  constructor(options: PinKeeperOptions) {
    this.#options = options;
  }

  /** A connection was lost while a write-like request was unanswered. */
  pin(entry: InFlight): void {
    const { clock, counters, pinMs, unflushed } = this.#options;
    if (pinMs === 0 || entry.length === 0) return;
    unflushed.pins.pin(entry.offset, entry.offset + entry.length, clock.nowMs() + pinMs);
    counters.pins += 1;
  }

  /** The connection is lost, and everything that is to be pinned has been: what was being taken away stays. */
  lost(): void {
    this.#ending = [];
    this.#rewrites = 0;
    this.#reads.clear();
    this.#watch();
    this.#tellFinished();
  }

  /**
   * Takes all pins away before their time, because nobody will be there when it comes; calls back when that is done, or can't
   * be.
   */
  finish(finished: () => void): void {
    this.#finished = finished;
    if (!this.#options.isOpen() || this.#options.unflushed.pins.count === 0) this.#tellFinished();
    else if (this.#ending.length === 0) this.#end();
  }

  /** Requests may be sent again. */
  opened(): void {
    if (this.#ending.length > 0) this.#liftIfDone();
    else this.#watch();
  }

  /** Something that is no write was answered. */
  answered(entry: InFlight): void {
    if (this.#reads.delete(entry)) this.#liftIfDone();
  }

  /** No timer is left running. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    const { clock, isOpen, unflushed } = this.#options;
    this.close();
    const endMs = unflushed.pins.nextEndMs;
    if (endMs === undefined || this.#ending.length > 0 || !isOpen()) return;
    // A little later rather than a little earlier: a timer that comes before its time would run again and again.
    const leftMs = Math.floor(Math.max(0, endMs - clock.nowMs())) + 1;
    this.#timer = clock.setTimer(leftMs, () => this.#end());
  }

  #end(): void {
    const { clock, isOpen, rewrite, unflushed } = this.#options;
    this.close();
    if (!isOpen()) return;
    this.#endedMs = this.#finished === undefined ? clock.nowMs() : Infinity;
    this.#ending = unflushed.pins.ended(this.#endedMs);
    this.#rewrites = this.#ending.length;
    this.#rewriteFailed = false;
    if (this.#rewrites === 0) this.#watch();
    for (const pin of this.#ending) rewrite(pin, (error) => this.#rewritten(error));
  }

  #rewritten(error: number): void {
    const { clock, log, readsUnderWay, unflushed } = this.#options;
    if (error !== 0) this.#rewriteFailed = true;
    if (error !== 0)
      log.warning(`the server refuses a write that it acknowledged before (error ${error}); it stays pinned`);
    this.#rewrites -= 1;
    if (this.#rewrites > 0) return;
    if (this.#rewriteFailed) {
      const againMs = clock.nowMs() + LIMITS.refusedRetryMaxMs;
      for (const { start, end } of this.#ending) unflushed.pins.pin(start, end, againMs);
      this.#ending = [];
      this.#watch();
      this.#tellFinished();
      return;
    }
    for (const read of readsUnderWay()) this.#reads.add(read);
    this.#liftIfDone();
  }

  #liftIfDone(): void {
    const { isOpen, log, unflushed, lifted } = this.#options;
    // While the log is written again, nothing may leave it.
    if (this.#rewrites > 0 || this.#reads.size > 0 || !isOpen()) return;
    const ended = this.#ending;
    this.#ending = [];
    unflushed.pins.lift(ended, this.#endedMs);
    let bytes = 0;
    for (const { start, end } of ended) {
      unflushed.unpinned(start, end);
      bytes += end - start;
    }
    log.info(`pin ended: ${bytes} bytes can't be overwritten by a lost connection any more`);
    lifted();
    if (this.#finished === undefined) this.#watch();
    else this.finish(this.#finished);
  }

  #tellFinished(): void {
    const finished = this.#finished;
    this.#finished = undefined;
    finished?.();
  }
}
