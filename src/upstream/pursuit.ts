import type { Clock, Timer } from "../ports/clock.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabConsumer } from "../transport/slab-reader.ts";
import type { Connector } from "./connector.ts";
import type { Negotiated } from "./upstream-session.ts";

/** How a Pursuit goes about it, and whom it tells. */
export interface PursuitOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  /** How long to wait before the first attempt; 0: at once. */
  readonly firstDelayMs: number;
  /** How long to wait before the next attempt. */
  readonly nextDelayMs: () => number;
  /** Why a negotiated connection can't be used; undefined when it can. */
  readonly objection: (connection: Negotiated) => Error | undefined;
  /** An attempt begins. */
  readonly dialling: () => void;
  /** A connection was reached and can be used: `take` it, or leave it for later. May happen again when it is lost meanwhile. */
  readonly reached: () => void;
  /** An attempt failed; another one follows. */
  readonly failed: (error: Error) => void;
}

type State =
  | { readonly name: "dialling"; readonly attempt: { abort(): void } }
  | { readonly name: "waiting"; readonly timer: Timer }
  | { readonly name: "reached"; readonly connection: Negotiated }
  | { readonly name: "over" };

/**
 * The search for the next connection: dials, waits, dials again, until one is reached that can be used, and keeps that one
 * until it is wanted. There is at most one pursuit at a time, beside a silent connection or after a lost one.
 */
export class Pursuit implements SlabConsumer {
  readonly #options: PursuitOptions;
  #state: State;

  constructor(options: PursuitOptions) {
    this.#options = options;
    this.#state = this.#waitingFor(options.firstDelayMs);
  }

  /** The connection, if one is reached. The taker must take over its reader; the pursuit is over. */
  take(): Negotiated | undefined {
    if (this.#state.name !== "reached") return undefined;
    const { connection } = this.#state;
    this.#state = { name: "over" };
    return connection;
  }

  /** Ends it, whatever stage it has reached. */
  abandon(): void {
    const state = this.#state;
    this.#state = { name: "over" };
    if (state.name === "dialling") state.attempt.abort();
    else if (state.name === "waiting") state.timer.cancel();
    else if (state.name === "reached") state.connection.stream.destroy();
  }

  /** A server that talks before it is asked is no server to go on with. */
  consume(_slab: Slab, _start: number, end: number): number {
    this.#lose("the server spoke unasked");
    return end;
  }

  violated(): void {
    this.#lose("the server spoke unasked");
  }

  drained(): void {
    // Nothing is written to a connection that is kept for later.
  }

  ended(): void {
    this.#lose("the server closed the connection before it was used");
  }

  closed(): void {
    this.#lose("the connection was lost before it was used");
  }

  #waitingFor(delayMs: number): State {
    return { name: "waiting", timer: this.#options.clock.setTimer(delayMs, () => this.#dial()) };
  }

  #dial(): void {
    this.#options.dialling();
    const attempt = this.#options.connector.connect({
      negotiated: (connection) => this.#negotiated(connection),
      failed: (error) => this.#failed(error),
    });
    this.#state = { name: "dialling", attempt };
  }

  #negotiated(connection: Negotiated): void {
    if (this.#state.name !== "dialling") return;
    const objection = this.#options.objection(connection);
    if (objection !== undefined) {
      connection.stream.destroy();
      this.#failed(objection);
      return;
    }
    this.#state = { name: "reached", connection };
    connection.reader.handOver(this);
    this.#options.reached();
  }

  #failed(error: Error): void {
    if (this.#state.name !== "dialling") return;
    this.#options.failed(error);
    // Only now: whoever was told has named the server that failed.
    this.#options.connector.turn();
    // Whoever was told may have ended the pursuit.
    if (this.#state.name === "dialling") this.#state = this.#waitingFor(this.#options.nextDelayMs());
  }

  #lose(why: string): void {
    if (this.#state.name !== "reached") return;
    this.#state.connection.stream.destroy();
    this.#options.failed(new ConnectionLost(why));
    this.#options.connector.turn();
    if (this.#state.name === "reached") this.#state = this.#waitingFor(this.#options.nextDelayMs());
  }
}
