import type { Reply } from "../disk.ts";
import { FlushAge } from "../durability/flush-age.ts";
import { INVARIANTS } from "../durability/invariants.ts";
import { PinnedRanges } from "../durability/pinned-ranges.ts";
import { type Fragment, WriteLog } from "../durability/write-log.ts";
import type { Clock } from "../ports/clock.ts";
import { BASE_ALLOCATION, COMMAND, COMMAND_FLAG } from "../protocol/constants.ts";
import type { ByteBudget } from "../transport/byte-budget.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import type { InFlight } from "./in-flight.ts";
import { type KeptContent, LogMemory } from "./log-memory.ts";
import { LogRepacker } from "./log-repacker.ts";
import { overlay } from "./overlay.ts";
import { overlayStatus, toldBytes } from "./overlay-status.ts";
import { replayRequests } from "./replay-requests.ts";
import type { StandInStep } from "./stand-in.ts";

/**
 * What happens to acknowledged writes until the server has flushed them. `log`: they are kept, and written again after an
 * outage. `fua`: every write is sent with FUA. `off`: the server is trusted.
 */
export type Unflushed = "log" | "fua" | "off";

/** How an UnflushedLog is made. */
export interface UnflushedLogOptions {
  readonly unflushed: Unflushed;
  readonly clock: Clock;
  readonly pool: SlabPool;
  /** What the log and the requests under way may hold together. */
  readonly budget: ByteBudget;
}

/** The write log of an export together with its memory, its pins, and what both mean for reads. */
export class UnflushedLog {
  readonly pins = new PinnedRanges();
  readonly age = new FlushAge();
  /** The server refuses to take what is in the log: it has to be laid over whatever is read. */
  ahead = false;
  readonly #options: UnflushedLogOptions;
  readonly #log = new WriteLog<KeptContent>(this.pins);
  readonly #memory: LogMemory;
  readonly #repacker: LogRepacker;
  #frozen = false;

  constructor(options: UnflushedLogOptions) {
    this.#options = options;
    this.#memory = new LogMemory(options.pool);
    this.#repacker = new LogRepacker({
      ...{ log: this.#log, memory: this.#memory },
      ...{ slabBytes: options.pool.slabBytes, limitBytes: options.budget.limitBytes },
    });
  }

  get entries(): number {
    return this.#log.entries;
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.#memory.heldBytes;
  }

  /** Acknowledged bytes that are not known to be on stable storage. */
  get unstableBytes(): number {
    return this.#log.unstableBytes;
  }

  /** The number of the youngest fragment; see `trim`. */
  get number(): number {
    return this.#log.number;
  }

  /** Whether a FLUSH is due to make room. */
  get crowded(): boolean {
    const { budget } = this.#options;
    return this.#log.unstableBytes > 0 && budget.halfTaken(this.#memory.heldBytes, this.#log.entries);
  }

  /** Said while writes are refused: the log does not grow then, and requests must come in to be refused. */
  set frozen(frozen: boolean) {
    this.#frozen = frozen;
    this.#account();
  }

  /**
   * The server acknowledged a write-like request: to be called before its client hears of it. `stable`: it is on stable
   * storage. `awaited`: its client hears of it when it is, so that it is kept until then in any mode.
   */
  acknowledged(entry: InFlight, stable: boolean, awaited: boolean): void {
    if (entry.length === 0) return;
    const { unflushed, clock } = this.#options;
    const start = entry.offset;
    const end = start + entry.length;
    const { command } = entry;
    const flags = command === COMMAND.WRITE_ZEROES ? entry.flags & COMMAND_FLAG.NO_HOLE : 0;
    // Asking for the time is not free, and only the first one counts.
    if (!stable && this.age.uncoveredMs === undefined) this.age.acknowledged(clock.nowMs());
    const appended = !stable && (unflushed === "log" || awaited || this.#isUnstable(start, end));
    if (!appended && this.#log.entries === 0 && this.pins.count === 0) return;
    const stays = appended || this.pins.overlaps(start, end);
    const write = { start, end, command, flags, content: stays ? this.#content(entry) : undefined };
    if (appended) this.#log.append(write);
    else this.#log.supersede(write);
    this.#repacker.changed();
    this.#account();
  }

  /** A successful reply to a READ or a BLOCK_STATUS as the client has to see it. */
  seen(entry: InFlight, reply: Reply): Reply {
    // Nearly always, and on the way of every read.
    if (!this.ahead && this.pins.count === 0) return reply;
    const start = entry.offset;
    if (entry.command === COMMAND.BLOCK_STATUS) return this.#seenStatus(entry, reply);
    const above = this.#above(start, start + entry.length);
    return above.length === 0 ? reply : { ...reply, pieces: overlay(reply.pieces, start, above) };
  }

  /** Whether a pin lies on what such a reply may tell of. */
  guards({ command, offset, length }: InFlight): boolean {
    // What is told about a range may go on behind it.
    return this.pins.overlaps(offset, command === COMMAND.BLOCK_STATUS ? Infinity : offset + length);
  }

  /** A FLUSH succeeded that was sent when `number` was the youngest. */
  trim(number: number): void {
    this.#log.trim(number);
    this.#repacker.trimmed();
    this.#account();
    const countedBytes = this.#memory.countBytes();
    INVARIANTS.check(
      countedBytes === this.#memory.heldBytes,
      "I5",
      `the log accounts for ${this.#memory.heldBytes} bytes and holds ${countedBytes}`,
    );
  }

  /** What writes all of it again, for a server that takes so much at once. */
  replayRequests(maximumPayloadBytes: number): readonly StandInStep[] {
    return replayRequests(this.#log.all(), this.#addedFlags, maximumPayloadBytes);
  }

  /** What writes the content of [start, end) again; a TRIM left none. */
  *rewriteRequests(start: number, end: number, maximumPayloadBytes: number): Generator<StandInStep> {
    for (let at = start; at < end;) {
      // Looked up for each anew: in the meantime it may have got other memory.
      const fragments = this.#log.within(at, end).filter(({ command }) => command !== COMMAND.TRIM);
      const [next] = replayRequests(fragments, this.#addedFlags, maximumPayloadBytes);
      if (next === undefined) return;
      yield next;
      at = next.offset + next.length;
    }
  }

  /** A range was written again, and is not pinned any more. */
  unpinned(start: number, end: number): void {
    if (this.#options.unflushed !== "off") {
      this.#log.renew(start, end);
      if (this.#log.unstableBytes > 0) this.age.acknowledged(this.#options.clock.nowMs());
    } else this.#log.forgetStable();
    this.#account();
  }

  /** Forgets all content, but not what is pinned. Returns how many acknowledged bytes that may cost. */
  discard(): number {
    const bytes = this.#log.unstableBytes;
    this.#log.clear();
    this.age.clear();
    this.#account();
    return bytes;
  }

  #seenStatus(entry: InFlight, reply: Reply): Reply {
    const { offset } = entry;
    const statuses = reply.statuses?.map((status) => {
      if (status.context !== BASE_ALLOCATION) return status;
      const above = this.#above(offset, offset + toldBytes(status.extents));
      return above.length === 0 ? status : { ...status, extents: overlayStatus(status.extents, entry, above) };
    });
    return statuses === undefined ? reply : { ...reply, statuses };
  }

  /** What lies over whatever is read of [start, end), in order. */
  #above(start: number, end: number): readonly Fragment<KeptContent>[] {
    if (!this.ahead && !this.pins.overlaps(start, end)) return [];
    // Only where it has to: elsewhere other reads may have shown what a write under way has changed already.
    const ranges = this.ahead ? [{ start, end }] : this.pins.within(start, end);
    return ranges.flatMap((range) => this.#log.within(range.start, range.end));
  }

  /** Something in the log must reach stable storage there, or what is newer. */
  #isUnstable(start: number, end: number): boolean {
    return this.#log.within(start, end).some(({ stable }) => !stable);
  }

  get #addedFlags(): number {
    return this.#options.unflushed === "fua" ? COMMAND_FLAG.FUA : 0;
  }

  #content(entry: InFlight): KeptContent | undefined {
    return entry.command === COMMAND.WRITE ? this.#memory.keep(entry.request.payload) : undefined;
  }

  #account(): void {
    if (this.#frozen) this.#options.budget.keep(0, 0);
    else this.#options.budget.keep(this.#memory.heldBytes, this.#log.entries);
  }
}
