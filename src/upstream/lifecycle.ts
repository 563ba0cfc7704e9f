import assert from "node:assert";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { escapeText } from "../protocol/escape-bytes.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { HandshakeTimeout } from "../transport/handshake-timeout.ts";
import type { Connector } from "./connector.ts";
import { Pursuit } from "./pursuit.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { type ExportNeeds, type StrangeExport, strangeness } from "./same-export.ts";
import type { Negotiated } from "./upstream-session.ts";

/** What a Lifecycle is made of, and whom it tells. */
export interface LifecycleOptions {
  readonly connector: Connector;
  readonly policy: ReconnectPolicy;
  readonly clock: Clock;
  readonly log: Log;
  /** A negotiated connection to the right export. The session must take over the reader during this call. */
  readonly connected: (connection: Negotiated, outage: Outage | undefined) => void;
  /** Whether the next connection may be used; if not, `proceed` must follow when it may. */
  readonly mayProceed: () => boolean;
  /** The export has another size from now on; `connected` follows. */
  readonly replaced: (geometry: Geometry) => void;
  /** What the next server must have, as things are now. */
  readonly needs: () => ExportNeeds;
  /** The silent connection in use is to be given up; `lost` must follow during this call. */
  readonly giveUp: (why: Error) => void;
}

/** The time without a connection that has just ended. */
export interface Outage {
  readonly sinceMs: number;
  /** How often the server was dialled. */
  readonly attempts: number;
}

/** A silent connection in use, and the search for the next one beside it. */
interface Doubt {
  readonly pursuit: Pursuit;
  /** Runs once the next connection is reached. */
  patience: Timer | undefined;
  /** Attempts in a row that were connected and then not greeted. */
  ungreeted: number;
}

/** Where the connection to the server stands. */
type State =
  | { readonly name: "idle" }
  | { readonly name: "starting"; readonly attempt: { abort(): void } }
  | { readonly name: "connected"; readonly sinceMs: number }
  | { readonly name: "doubted"; readonly sinceMs: number; readonly doubt: Doubt }
  | { readonly name: "away"; readonly pursuit: Pursuit }
  | { readonly name: "closed" };

const LEGAL_MOVES: Readonly<Record<State["name"], readonly State["name"][]>> = {
  idle: ["starting", "closed"],
  starting: ["connected", "idle", "closed"],
  connected: ["doubted", "away", "closed"],
  doubted: ["connected", "away", "closed"],
  away: ["away", "connected", "closed"],
  closed: [],
};

/**
 * Keeps a connection to the server: looks for the next one when it is lost, and already beside it when it is silent; refuses a
 * server that has become another one.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #state: State = { name: "idle" };
  #geometry: Geometry | undefined;
  /** Where the connection in use leads; a search beside it may be on another path. */
  #serverInUse = "";
  /** When the outage began; undefined while the server is proven to be there. */
  #outageSinceMs: number | undefined;
  #attempts = 0;
  #lastFailure = "";

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /**
   * Connects for the first time: one attempt on each path. Resolves to what the server offers, from then on the measure for
   * every other; rejects with the last failure.
   */
  start(): Promise<Geometry> {
    return new Promise((resolve, reject) => {
      this.#startOn(this.#options.connector.paths, resolve, reject);
    });
  }

  /** The connection in use is lost: the next one is wanted as soon as possible. */
  lost(why: Error): void {
    const state = this.#state;
    if (state.name !== "connected" && state.name !== "doubted") return;
    const { clock, log, policy } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - state.sinceMs >= LIMITS.provenMs) this.answered();
    log.warning(`${this.#serverInUse}: connection lost: ${escapeText(why.message)}`);
    const firstLoss = this.#outageSinceMs === undefined;
    this.#outageSinceMs ??= nowMs;
    if (state.name === "doubted") {
      // The next connection goes on from whatever stage it has reached.
      state.doubt.patience?.cancel();
      this.#moveTo({ name: "away", pursuit: state.doubt.pursuit });
      this.#useReached();
      return;
    }
    // A server that takes connections only to drop them must not be dialled in a tight loop.
    this.#moveTo({
      name: "away",
      pursuit: this.#pursue(firstLoss ? 0 : policy.nextDelayMs(nowMs - this.#outageSinceMs)),
    });
  }

  /** The connection in use is silent although requests wait: looks for the next one beside it. */
  silent(): void {
    if (this.#state.name !== "connected") return;
    this.#options.log.warning(`${this.#serverInUse}: silent while requests wait; connecting a second time beside it`);
    const doubt = { pursuit: this.#pursue(0), patience: undefined, ungreeted: 0 };
    this.#moveTo({ name: "doubted", sinceMs: this.#state.sinceMs, doubt });
  }

  /** The silent connection is heard again: it is the one to keep. */
  heardAgain(): void {
    if (this.#state.name !== "doubted") return;
    const { sinceMs, doubt } = this.#state;
    this.#options.log.warning(`${this.#serverInUse}: heard again; keeping the connection`);
    doubt.patience?.cancel();
    doubt.pursuit.abandon();
    this.#moveTo({ name: "connected", sinceMs });
  }

  /** The next connection may be used, if there is one. */
  proceed(): void {
    this.#useReached();
  }

  /** The server answered a request: whatever outage there was is over. */
  answered(): void {
    if (this.#outageSinceMs === undefined) return;
    this.#outageSinceMs = undefined;
    this.#options.policy.reset();
  }

  /** Connects no more. */
  close(): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#moveTo({ name: "closed" });
    if (state.name === "starting") state.attempt.abort();
    else if (state.name === "away") state.pursuit.abandon();
    else if (state.name === "doubted") {
      state.doubt.patience?.cancel();
      state.doubt.pursuit.abandon();
    }
  }

  get #server(): string {
    return `server ${this.#options.connector.server}`;
  }

  #startOn(attemptsLeft: number, resolve: (geometry: Geometry) => void, reject: (error: Error) => void): void {
    const attempt = this.#options.connector.connect({
      negotiated: (connection) => {
        this.#geometry = connection.geometry;
        this.#serverInUse = this.#server;
        this.#moveTo({ name: "connected", sinceMs: this.#options.clock.nowMs() });
        resolve(connection.geometry);
        this.#options.connected(connection, undefined);
      },
      failed: (error) => {
        if (this.#state.name === "closed") return;
        this.#moveTo({ name: "idle" });
        this.#options.connector.turn();
        if (attemptsLeft > 1) this.#startOn(attemptsLeft - 1, resolve, reject);
        else reject(error);
      },
    });
    this.#moveTo({ name: "starting", attempt });
  }

  #pursue(firstDelayMs: number): Pursuit {
    const { connector, clock, policy } = this.#options;
    this.#attempts = 0;
    this.#lastFailure = "";
    const beganMs = clock.nowMs();
    return new Pursuit({
      connector,
      clock,
      firstDelayMs,
      nextDelayMs: () => policy.nextDelayMs(clock.nowMs() - (this.#outageSinceMs ?? beganMs)),
      objection: ({ geometry }) => this.#objection(geometry),
      dialling: () => {
        this.#attempts += 1;
        this.#options.log.debug(`${this.#server}: attempt ${this.#attempts}`);
      },
      reached: () => this.#reached(),
      failed: (error) => this.#failed(error),
    });
  }

  #objection(found: Geometry): StrangeExport | undefined {
    assert(this.#geometry !== undefined, "looked for a server before the first one was known");
    return strangeness(this.#geometry, found, this.#options.needs());
  }

  #reached(): void {
    if (this.#state.name === "away") this.#useReached();
    if (this.#state.name !== "doubted") return;
    const { doubt } = this.#state;
    // The server is there, so the silence may be a slow disk; only for so long.
    doubt.patience ??= this.#options.clock.setTimer(LIMITS.patienceMs, () => {
      doubt.patience = undefined;
      this.#giveUp(`silent for another ${LIMITS.patienceMs / 1000} s beside a connection that works`);
    });
  }

  #failed(error: Error): void {
    const failure = escapeText(error.message);
    // Ten lines a second that all say the same would hide the one that does not.
    if (failure !== this.#lastFailure)
      this.#options.log.warning(`${this.#server}: can't connect: ${failure}; trying on`);
    this.#lastFailure = failure;
    if (this.#state.name !== "doubted") return;
    const { doubt } = this.#state;
    doubt.patience?.cancel();
    doubt.patience = undefined;
    // Some servers greet nobody while an earlier connection lives: it has to go first.
    doubt.ungreeted = error instanceof HandshakeTimeout ? doubt.ungreeted + 1 : 0;
    if (doubt.ungreeted >= LIMITS.ungreetedAttempts)
      this.#giveUp("silent, and the server greets nobody else meanwhile");
  }

  #giveUp(why: string): void {
    this.#options.giveUp(new Error(why));
    assert(this.#state.name !== "doubted", "a connection that was given up was not reported as lost");
  }

  /** Hands out the next connection, if it is reached already. */
  #useReached(): void {
    if (this.#state.name !== "away" || !this.#options.mayProceed()) return;
    const connection = this.#state.pursuit.take();
    if (connection === undefined) return;
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    const sinceMs = this.#outageSinceMs ?? nowMs;
    const known = this.#geometry;
    assert(known !== undefined, "found a server before the first one was known");
    const { sizeBytes } = connection.geometry;
    if (this.#objection(connection.geometry) !== undefined) {
      // Somebody came to use the disk after this connection was found good enough for those who were there.
      connection.stream.destroy();
      this.#moveTo({ name: "away", pursuit: this.#pursue(0) });
      return;
    }
    log.info(`${this.#server}: reached after ${((nowMs - sinceMs) / 1000).toFixed(1)} s, attempt ${this.#attempts}`);
    if (sizeBytes !== known.sizeBytes) {
      log.warning(`${this.#server}: its size is ${sizeBytes} bytes now, not ${known.sizeBytes}; nobody uses it`);
      this.#geometry = { ...known, sizeBytes };
      this.#options.replaced(this.#geometry);
    }
    this.#serverInUse = this.#server;
    this.#moveTo({ name: "connected", sinceMs: nowMs });
    this.#options.connected(connection, { sinceMs, attempts: this.#attempts });
  }

  #moveTo(next: State): void {
    assert(LEGAL_MOVES[this.#state.name].includes(next.name), `${this.#state.name} → ${next.name} is no legal move`);
    this.#state = next;
  }
}
