import type { DurabilityCounters } from "../durability/durability-counters.ts";
import { recoveryOrder } from "../durability/recovery-order.ts";
import type { Log } from "../ports/log.ts";
import type { InFlight } from "./in-flight.ts";
import { pingRequest } from "./ping-request.ts";
import { Replay } from "./replay.ts";
import type { RequestSender } from "./request-sender.ts";
import type { UnflushedLog } from "./unflushed-log.ts";
import type { WriteTrouble } from "./write-trouble.ts";

/** What a recovery came to. */
export interface RecoverySummary {
  readonly resentRequests: number;
  readonly replayedBytes: number;
  readonly pinnedBytes: number;
}

/** What a Recovery works with. */
export interface RecoveryOptions {
  readonly log: Log;
  readonly counters: DurabilityCounters;
  readonly sender: RequestSender;
  readonly unflushed: UnflushedLog;
  readonly trouble: WriteTrouble;
  /** The READs, and BLOCK_STATUS, that are at the server. */
  readonly readsUnderWay: () => readonly InFlight[];
  /** The requests that are held and to be sent. */
  readonly held: () => readonly InFlight[];
  /** The log is, or is not, at the server in full. */
  readonly rewritten: (complete: boolean) => void;
  /** Requests may be sent: the held ones first, as far as nothing holds them back. `summary` after a lost connection. */
  readonly opened: (summary: RecoverySummary | undefined) => void;
}

/**
 * What comes before everything else on a new connection (R6): the whole log, then the writes that an earlier connection was
 * sent. And on the same connection after a failed FLUSH: the log again, once no write is under way.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** Writes that are sent again and must be answered before anything else is sent. */
  #resending: Set<InFlight> = new Set();
  /** A request that may be what kills the server, or one that has to go before it: sent with nothing beside it. */
  #alone: InFlight | undefined;
  /** The server has answered over this connection: if it goes away now, that may be because of what it was sent. */
  #proven = false;
  /** This is about a new connection. */
  #afterLoss = false;
  /** The server refused some of the last replay. */
  #refused = false;
  #resent = 0;
  #replayedBytes = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** There is a new connection. */
  begin(): void {
    this.#afterLoss = true;
    this.#proven = false;
    this.#resent = 0;
    this.#replayedBytes = 0;
    this.#replay();
  }

  /** Has the log written again over the same connection, as soon as no write is under way. */
  rewrite(): void {
    const { order } = this.#options.sender;
    if (order.phase !== "open") return;
    order.phase = "quiescing";
    this.#quiet();
  }

  /** The connection is lost. Returns the request that was sent alone, if one was. */
  lost(): InFlight | undefined {
    const alone = this.#alone;
    this.#alone = undefined;
    this.#resending = new Set();
    this.#options.trouble.lost();
    return alone;
  }

  /** A request was answered, and its place is free. */
  answered(entry: InFlight): void {
    if (entry === this.#alone) {
      this.#alone = undefined;
      this.#resend();
    } else if (this.#resending.delete(entry) && this.#resending.size === 0) this.#open();
    else this.#quiet();
  }

  #quiet(): void {
    const { readsUnderWay, sender, unflushed } = this.#options;
    const { order, writes } = sender;
    if (order.phase !== "quiescing" || writes.count > 0) return;
    // What lies over reads may be taken away after this replay: none may be under way that has seen what was below.
    if (!unflushed.ahead || readsUnderWay().length === 0) this.#replay();
  }

  #replay(): void {
    const { counters, sender, unflushed } = this.#options;
    sender.order.phase = "replaying";
    const requests = unflushed.replayRequests(sender.session?.geometry.maximumPayloadBytes ?? 0);
    const bytes = requests.reduce((sum, { length }) => sum + length, 0);
    if (requests.length > 0) counters.replays += 1;
    counters.replayedFragments += unflushed.entries;
    counters.replayedBytes += bytes;
    this.#replayedBytes += bytes;
    new Replay(requests, {
      send: (request, answered) => sender.sendOwn(request, "replay", ({ error }) => answered(error)),
      finished: (refused, error) => this.#replayed(refused, error),
    }).begin();
  }

  #replayed(refused: number, error: number): void {
    const { counters, log, rewritten, trouble, unflushed } = this.#options;
    counters.refusedReplays += refused;
    rewritten(refused === 0);
    if (refused > 0) {
      log.warning(`the server refuses ${refused} writes that it acknowledged before (error ${error})`);
      trouble.refused(() => this.#retry(), true);
      this.#refused = true;
      // While there is hope everything waits.
      if (!trouble.failed) return;
    } else if (this.#refused) {
      this.#refused = false;
      trouble.over();
    }
    unflushed.ahead = refused > 0;
    if (this.#afterLoss) this.#resend();
    else this.#open();
  }

  #retry(): void {
    const { order } = this.#options.sender;
    if (order.phase === "replaying") this.#replay();
    else this.rewrite();
  }

  #resend(): void {
    const { sender } = this.#options;
    sender.order.phase = "resending";
    const { first, afterwards } = recoveryOrder(this.#options.held());
    const inOrder = [...first, ...afterwards];
    if (inOrder.some((entry) => entry.losses?.suspect === true)) {
      if (!this.#proven && this.#ping()) return;
      this.#alone = inOrder[0];
      this.#send(this.#alone);
      return;
    }
    this.#resending = new Set(first);
    for (const entry of first) this.#send(entry);
    if (first.length === 0) this.#open();
  }

  /** Asks for a block, and goes on when that is answered. Returns false when there is none to ask for. */
  #ping(): boolean {
    const { sender } = this.#options;
    const ping = sender.session === undefined ? undefined : pingRequest(sender.session.geometry);
    if (ping === undefined) return false;
    sender.sendOwn(ping, "resend", () => {
      this.#proven = true;
      this.#resend();
    });
    return true;
  }

  #send(entry: InFlight | undefined): void {
    if (entry === undefined) return;
    this.#resent += 1;
    this.#options.sender.send(entry, undefined, "resend");
  }

  #open(): void {
    const { counters, opened, sender, unflushed } = this.#options;
    sender.order.phase = "open";
    if (!this.#afterLoss) {
      opened(undefined);
      return;
    }
    this.#afterLoss = false;
    const again = this.#options.held().filter(({ sentBefore }) => sentBefore).length;
    const resentRequests = this.#resent + again;
    counters.resentRequests += resentRequests;
    opened({ resentRequests, replayedBytes: this.#replayedBytes, pinnedBytes: unflushed.pins.bytes });
  }
}
