import assert from "node:assert";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { escapeText } from "../protocol/escape-bytes.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { LIMITS } from "../limits.ts";
import type { Connector } from "./connector.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { strangeness } from "./same-export.ts";
import type { Negotiated } from "./upstream-session.ts";

/** Where the connection to the server stands. */
type State =
  | { readonly name: "idle" }
  | { readonly name: "dialling"; readonly attempt: { abort(): void } }
  | { readonly name: "waiting"; readonly timer: Timer }
  | { readonly name: "connected"; readonly sinceMs: number }
  | { readonly name: "closed" };

const LEGAL_MOVES: Readonly<Record<State["name"], readonly State["name"][]>> = {
  idle: ["dialling", "closed"],
  dialling: ["waiting", "connected", "idle", "closed"],
  waiting: ["dialling", "closed"],
  connected: ["dialling", "waiting", "closed"],
  closed: [],
};

/** What a Lifecycle is made of, and whom it tells. */
export interface LifecycleOptions {
  readonly connector: Connector;
  readonly policy: ReconnectPolicy;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the server is, for log lines. */
  readonly server: string;
  /** A negotiated connection to the right export. The session must take over the reader during this call. */
  readonly connected: (connection: Negotiated) => void;
}

/** Keeps a connection to the server: dials, waits, dials again, and refuses a server that has become another one. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #state: State = { name: "idle" };
  #geometry: Geometry | undefined;
  /** When the outage began; undefined while the server is proven to be there. */
  #outageSinceMs: number | undefined;
  #attempts = 0;
  #lastFailure = "";

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Connects for the first time: one attempt. Resolves to what the server offers, from then on the measure for every other. */
  start(): Promise<Geometry> {
    return new Promise((resolve, reject) => {
      const attempt = this.#options.connector.connect({
        negotiated: (connection) => {
          this.#geometry = connection.geometry;
          this.#moveTo({ name: "connected", sinceMs: this.#options.clock.nowMs() });
          resolve(connection.geometry);
          this.#options.connected(connection);
        },
        failed: (error) => {
          this.#moveTo({ name: "idle" });
          reject(error);
        },
      });
      this.#moveTo({ name: "dialling", attempt });
    });
  }

  /** The connection that was handed out is lost: connects again, until that succeeds or `close`. */
  lost(why: Error): void {
    if (this.#state.name !== "connected") return;
    const { clock, log, policy, server } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#state.sinceMs >= LIMITS.provenMs) this.answered();
    log.warning(`server ${server}: connection lost: ${escapeText(why.message)}`);
    const firstLoss = this.#outageSinceMs === undefined;
    this.#outageSinceMs ??= nowMs;
    this.#lastFailure = "";
    // A server that takes connections only to drop them must not be dialled in a tight loop.
    if (firstLoss) this.#dial();
    else this.#wait(policy.nextDelayMs(nowMs - this.#outageSinceMs));
  }

  /** The server answered a request: whatever outage there was is over. */
  answered(): void {
    if (this.#outageSinceMs === undefined) return;
    this.#outageSinceMs = undefined;
    this.#attempts = 0;
    this.#options.policy.reset();
  }

  /** Connects no more. */
  close(): void {
    if (this.#state.name === "dialling") this.#state.attempt.abort();
    if (this.#state.name === "waiting") this.#state.timer.cancel();
    if (this.#state.name !== "closed") this.#moveTo({ name: "closed" });
  }

  #dial(): void {
    this.#attempts += 1;
    const attempt = this.#options.connector.connect({
      negotiated: (connection) => this.#negotiated(connection),
      failed: (error) => this.#failed(error),
    });
    this.#moveTo({ name: "dialling", attempt });
  }

  #negotiated(connection: Negotiated): void {
    if (this.#state.name !== "dialling") return;
    assert(this.#geometry !== undefined, "dialled again before the first connection");
    const { clock, log, server } = this.#options;
    const stranger = strangeness(this.#geometry, connection.geometry);
    if (stranger !== undefined) {
      connection.stream.destroy();
      this.#failed(stranger);
      return;
    }
    const outageMs = clock.nowMs() - (this.#outageSinceMs ?? clock.nowMs());
    log.warning(`server ${server}: connected again after ${(outageMs / 1000).toFixed(1)} s, attempt ${this.#attempts}`);
    this.#moveTo({ name: "connected", sinceMs: clock.nowMs() });
    this.#options.connected(connection);
  }

  #failed(error: Error): void {
    if (this.#state.name !== "dialling") return;
    const { clock, log, policy, server } = this.#options;
    const failure = escapeText(error.message);
    // Ten lines a second that all say the same would hide the one that does not.
    if (failure !== this.#lastFailure) log.warning(`server ${server}: can't connect: ${failure}; trying on`);
    this.#lastFailure = failure;
    this.#wait(policy.nextDelayMs(clock.nowMs() - (this.#outageSinceMs ?? clock.nowMs())));
  }

  #wait(delayMs: number): void {
    this.#moveTo({ name: "waiting", timer: this.#options.clock.setTimer(delayMs, () => this.#dial()) });
  }

  #moveTo(next: State): void {
    assert(LEGAL_MOVES[this.#state.name].includes(next.name), `${this.#state.name} → ${next.name} is no legal move`);
    this.#state = next;
  }
}
