import assert from "node:assert";
import type { DiskRequest, Reply } from "../disk.ts";
import type { Pin } from "../durability/pinned-ranges.ts";
import { recoveryOrder } from "../durability/recovery-order.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../protocol/constants.ts";
import { isWriteLike } from "../protocol/is-write-like.ts";
import type { Slice } from "../transport/slice.ts";
import { FlushDesk } from "./flush-desk.ts";
import { FLUSH_REQUEST } from "./flush-request.ts";
import type { InFlight } from "./in-flight.ts";
import { PinKeeper } from "./pin-keeper.ts";
import { PoisonWatch } from "./poison-watch.ts";
import { Recovery, type RecoverySummary } from "./recovery.ts";
import type { RequestFlowOptions } from "./request-flow-options.ts";
import { RequestQueue } from "./request-queue.ts";
import { RequestSender } from "./request-sender.ts";
import { needsFlush } from "./stand-in.ts";
import { UnflushedLog } from "./unflushed-log.ts";
import type { UpstreamSession } from "./upstream-session.ts";
import { WriteTrouble } from "./write-trouble.ts";

/**
 * Every request of an export on its way to the server, over one connection after the other. While there is none, requests
 * are held. Overlapping writes are never at the server together, and what it acknowledged is kept until it is flushed.
 */
export class RequestFlow {
  readonly unflushed: UnflushedLog;
  readonly #options: RequestFlowOptions;
  readonly #queue = new RequestQueue({
    freed: (entry) => this.#sendIfFree(entry, undefined),
    ending: (entry) => this.#flushes.leave(entry),
  });
  readonly #sender: RequestSender;
  readonly #trouble: WriteTrouble;
  readonly #flushes: FlushDesk;
  readonly #pins: PinKeeper;
  readonly #recovery: Recovery;
  readonly #poison: PoisonWatch;

  constructor(options: RequestFlowOptions) {
    this.#options = options;
    const sender = new RequestSender(this.#queue.table, options.clock, (entry, reply) => this.#answered(entry, reply));
    const unflushed = new UnflushedLog(options);
    const trouble = new WriteTrouble({ ...options, changed: (failed) => this.#failing(failed) });
    const readsUnderWay = (): readonly InFlight[] => this.#queue.reads();
    const common = { ...options, sender, unflushed, trouble };
    this.#sender = sender;
    this.unflushed = unflushed;
    this.#trouble = trouble;
    this.#poison = new PoisonWatch(options);
    this.#recovery = new Recovery({
      ...common,
      held: () => this.#queue.held(),
      readsUnderWay,
      rewritten: (complete) => (complete ? this.#flushes.rewritten() : this.#flushes.incomplete()),
      opened: (summary) => this.#opened(summary),
    });
    this.#flushes = new FlushDesk({
      ...{ ...common, latency: sender.latency },
      maySend: () => sender.order.maySend("flush"),
      send: (answered) => sender.sendOwn(FLUSH_REQUEST, "flush", answered),
      rewrite: () => this.#recovery.rewrite(),
      complete: (entry, { error, detail }) => this.#queue.end(entry, error, detail),
    });
    this.#pins = new PinKeeper({
      ...common,
      isOpen: () => this.open,
      rewrite: (pin, answered) => this.#rewrite(pin, answered),
      readsUnderWay,
      lifted: () => this.#flushes.want(),
    });
  }

  /** Requests that are not answered. */
  get held(): number {
    return this.#queue.table.count;
  }

  /** Whether requests are sent as they come. */
  get open(): boolean {
    return this.#sender.order.phase === "open";
  }

  /** Writes that had to wait for an overlapping one so far. */
  get gateWaits(): number {
    return this.#queue.gateWaits;
  }

  /** Whether writes are refused; see WriteTrouble. */
  get failed(): boolean {
    return this.#trouble.failed;
  }

  /** Admits a request; `owner` is who may `drop` it. */
  submit(request: DiskRequest, owner: object | undefined): void {
    const error = this.#refusal(request);
    if (error !== 0) {
      request.complete({ error, pieces: [], room: undefined });
      return;
    }
    const entry = this.#queue.admit(request, owner, "user");
    if (entry.command === COMMAND.FLUSH) {
      this.#join(entry);
      return;
    }
    if (entry.writeLike && this.#options.unflushed === "fua") entry.flags |= COMMAND_FLAG.FUA;
    this.#sendIfFree(entry, request.room);
  }

  /** The request that waits for that cookie's reply. */
  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    return this.#queue.table.find(cookieHigh, cookieLow);
  }

  /** The server answered. */
  replied(entry: InFlight, reply: Reply): void {
    if (entry.kind === "step") {
      this.#queue.remove(entry);
      entry.request.complete(reply);
    } else if (this.#isDoubtful(entry)) entry.wire = undefined;
    else this.#answered(entry, reply);
  }

  /** There is a connection: what is held goes first. */
  connected(session: UpstreamSession): void {
    // What is answered late from now on may be older than what is written again.
    for (const entry of this.#queue.table) entry.wire = undefined;
    this.#sender.begin(session);
    this.#recovery.begin();
  }

  /** The connection is gone: what was sent over it is held again. */
  lost(): void {
    const alone = this.#recovery.lost();
    this.#sender.end();
    this.#flushes.lost();
    const sent = this.#queue.sent();
    for (const entry of sent) {
      if (entry.writeLike && entry.kind !== "step") this.#pins.pin(entry);
      entry.session = undefined;
      entry.sentBefore = true;
      this.#poison.lost(entry, entry === alone);
    }
    for (const entry of [...this.#queue.table]) if (entry.kind !== "user") this.#queue.remove(entry);
    this.#pins.lost();
    // What nobody waits for may ask for something that the next server need not have for anybody.
    for (const entry of sent) if (entry.unwanted && !entry.writeLike) this.#queue.end(entry, NBD_ERROR.ESHUTDOWN);
    const poisonous = sent.filter((entry) => entry.kind === "user" && this.#poison.condemns(entry));
    for (const entry of poisonous) this.#queue.end(entry, NBD_ERROR.EIO);
    if (this.#options.shared) this.#giveUpShared();
  }

  /** Has everything acknowledged flushed; `answered` gets the error, or 0. Errors of earlier FLUSHes are not told here. */
  flush(answered: (error: number) => void): void {
    const complete = ({ error }: Reply): void => answered(error);
    this.#join(this.#queue.admit({ ...FLUSH_REQUEST, complete }, undefined, "user"));
  }

  /** Has everything acknowledged flushed soon, when there is something to flush. */
  flushSoon(): void {
    this.#flushes.want();
  }

  /** Answers everything that is held with an error and forgets it. There must be no connection. */
  fail(error: number): void {
    assert(this.#sender.session === undefined, "gave up requests that a server may be answering");
    this.#queue.endAll(() => true, error);
  }

  /** This owner has left: answers what belongs to it and need not be sent, or be sent again, with an error. */
  drop(owner: object, error: number): void {
    this.#queue.drop(owner, error);
  }

  /** Gives up what is in the log; there must be no connection. Returns how many acknowledged bytes that may cost. */
  discard(): number {
    assert(this.#sender.session === undefined, "gave up what a server may be about to flush");
    const bytes = this.unflushed.discard();
    this.#options.counters.discardedBytes += bytes;
    return bytes;
  }

  /** Ends all pins before their time, because the disk is about to be closed; calls back when nothing is left to do. */
  finishPins(finished: () => void): void {
    this.#pins.finish(finished);
  }

  /** Leaves no timer running. */
  close(): void {
    this.#flushes.close();
    this.#pins.close();
    this.#trouble.pause();
  }

  /** What a request is refused with before it is admitted; 0 when it is not. */
  #refusal({ command, flags }: DiskRequest): number {
    const flushes = command === COMMAND.FLUSH || (isWriteLike(command) && (flags & COMMAND_FLAG.FUA) !== 0);
    const latched = flushes ? this.#flushes.takeLatched() : 0;
    if (latched !== 0) return latched;
    return this.#trouble.failed && (flushes || isWriteLike(command)) ? NBD_ERROR.EIO : 0;
  }

  #sendIfFree(entry: InFlight, room: Slice | undefined): void {
    const what = entry.kind === "own" ? "rewrite" : "request";
    // What is sent first may be answered at once, and its user then drop or send other requests.
    if (!this.#queue.waits(entry) || entry.ticket?.blocked === true) return;
    if (this.#sender.order.maySend(what)) this.#sender.send(entry, room, what);
  }

  /** A late answer that may show what the newest acknowledged content, which lies over later ones, then seems to take back. */
  #isDoubtful(entry: InFlight): boolean {
    const isLate = this.#sender.session === undefined;
    return isLate && entry.readLike && this.unflushed.guards(entry);
  }

  #answered(entry: InFlight, reply: Reply): void {
    this.#sender.answered(entry);
    if (entry.kind === "user") this.#poison.answered();
    if (reply.error === 0 && entry.writeLike && entry.kind === "user") {
      const offered = this.#sender.session?.geometry.flags ?? 0;
      const flushIsDue = entry.wire === undefined && needsFlush(entry.command, entry.flags, offered);
      const isFua = (entry.flags & COMMAND_FLAG.FUA) !== 0;
      // Before the client hears of it, or a loss in between would lose it.
      this.unflushed.acknowledged(entry, isFua && !flushIsDue, flushIsDue && !this.#options.shared);
      if (flushIsDue) {
        this.#awaitFlush(entry);
        return;
      }
    }
    const seen = reply.error === 0 && entry.readLike ? this.unflushed.seen(entry, reply) : reply;
    this.#queue.remove(entry);
    entry.request.complete(seen);
    this.#settled(entry);
  }

  /** The server does not do FUA any more: what was written with it is answered when it is flushed. */
  #awaitFlush(entry: InFlight): void {
    entry.session = undefined;
    this.#queue.release(entry);
    this.#join(entry);
    this.#settled(entry);
  }

  #join(entry: InFlight): void {
    entry.awaitsFlush = true;
    this.#flushes.join(entry);
  }

  #settled(entry: InFlight): void {
    if (entry.writeLike) this.#flushes.acknowledged();
    else this.#pins.answered(entry);
    this.#recovery.answered(entry);
  }

  #opened(summary: RecoverySummary | undefined): void {
    if (summary !== undefined) this.#options.recovered(summary);
    const { first, afterwards } = recoveryOrder(this.#queue.held());
    for (const entry of [...first, ...afterwards]) this.#sendIfFree(entry, undefined);
    this.#flushes.want();
    this.#pins.opened();
  }

  /** Writes what is in the log of a pinned range again, behind the overlapping writes that came before it. */
  #rewrite({ start, end }: Pin, answered: (error: number) => void): void {
    const complete = ({ error }: Reply): void => answered(error);
    const request = { ...FLUSH_REQUEST, command: COMMAND.WRITE, offset: start, length: end - start, complete };
    const entry = this.#queue.admit(request, undefined, "own");
    entry.instead = ({ maximumPayloadBytes }) => this.unflushed.rewriteRequests(start, end, maximumPayloadBytes);
    this.#sendIfFree(entry, undefined);
  }

  /** What another writer may have written since must not be overwritten, and what is lost must be told. */
  #giveUpShared(): void {
    this.#queue.endAll(({ sentBefore, writeLike }) => sentBefore && writeLike, NBD_ERROR.EIO);
    if (this.unflushed.age.oldestMs === undefined) return;
    this.unflushed.age.clear();
    this.#queue.endAll(({ awaitsFlush }) => awaitsFlush, NBD_ERROR.EIO);
    this.#flushes.latch(NBD_ERROR.EIO);
  }

  /** Nothing that changes the disk is taken while the server does not take what is in the log. */
  #failing(failed: boolean): void {
    this.unflushed.frozen = failed;
    if (!failed) return;
    const isRefused = ({ awaitsFlush, kind, session, writeLike }: InFlight): boolean =>
      kind === "user" && session === undefined && (writeLike || awaitsFlush);
    this.#queue.endAll(isRefused, NBD_ERROR.EIO);
  }
}
