import type { Disk, DiskHandle, DiskRequest, DiskUser, Reply } from "../disk.ts";
import type { Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { COMMAND, NBD_ERROR, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { endpointText } from "../transport/endpoint-text.ts";
import { Connector, type ConnectorOptions } from "./connector.ts";
import type { InFlight } from "./in-flight.ts";
import { Lifecycle } from "./lifecycle.ts";
import { ReconnectPolicy } from "./reconnect-policy.ts";
import { RequestFlow } from "./request-flow.ts";
import { type Negotiated, type SessionOwner, UpstreamSession } from "./upstream-session.ts";

/** The server, and what to do while it is away. */
export interface ResilientDiskOptions extends ConnectorOptions {
  readonly random: Random;
  readonly log: Log;
  /** How long requests are held before they are answered EIO; undefined: for ever. */
  readonly holdTimeoutMs: number | undefined;
  readonly reconnectIntervalMaxMs: number;
}

/**
 * A disk made from a server that may vanish. Requests that were not answered are held and sent again when the server is
 * back, so that the user of the disk only sees a slower reply.
 */
export class ResilientDisk implements Disk, SessionOwner {
  readonly #options: ResilientDiskOptions;
  readonly #lifecycle: Lifecycle;
  readonly #flow = new RequestFlow();
  readonly #users = new Map<object, DiskUser>();
  #geometry: Geometry | undefined;
  #session: UpstreamSession | undefined;
  #holdTimer: Timer | undefined;
  /** Since when no request was answered, counted from a lost connection. */
  #awaySinceMs: number | undefined;
  /** The hold timeout has passed, or the disk is closed: requests are answered with this error instead of held. */
  #refusal: number | undefined;
  #idle: (() => void) | undefined;

  constructor(options: ResilientDiskOptions) {
    this.#options = options;
    const { clock, log, random, reconnectIntervalMaxMs, target } = options;
    this.#lifecycle = new Lifecycle({
      connector: new Connector(options),
      policy: new ReconnectPolicy(random, reconnectIntervalMaxMs),
      clock,
      log,
      server: endpointText(target.endpoint),
      connected: (connection) => this.#connected(connection),
    });
  }

  /** Connects for the first time, with a single attempt. Rejects with the reason why that failed. */
  async open(): Promise<void> {
    this.#geometry = await this.#lifecycle.start();
  }

  /** What the server offered when it was connected to first. The disk must be open. */
  get geometry(): Geometry {
    if (this.#geometry === undefined) throw new Error("the disk is not open");
    return this.#geometry;
  }

  attach(user: DiskUser): DiskHandle {
    const owner = {};
    this.#users.set(owner, user);
    return {
      submit: (request) => this.#submit(request, owner),
      close: () => {
        this.#users.delete(owner);
        this.#flow.drop(owner, NBD_ERROR.ESHUTDOWN);
      },
    };
  }

  /**
   * Ends the connection: FLUSH if the server offers it, then DISC. Resolves to whether the server confirmed the FLUSH (true
   * where none is needed). What is still held is answered ESHUTDOWN.
   */
  async close(): Promise<boolean> {
    const flushed = await this.#flush();
    this.#lifecycle.close();
    this.#holdTimer?.cancel();
    this.#refusal = NBD_ERROR.ESHUTDOWN;
    const session = this.#session;
    this.#session = undefined;
    this.#flow.lost();
    this.#flow.fail(NBD_ERROR.ESHUTDOWN);
    await session?.disconnect();
    return flushed;
  }

  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    return this.#flow.find(cookieHigh, cookieLow);
  }

  replied(entry: InFlight, reply: Reply): void {
    this.#lifecycle.answered();
    this.#awaySinceMs = undefined;
    this.#flow.replied(entry, reply);
  }

  lost(session: UpstreamSession, why: Error): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#flow.lost();
    this.#idle?.();
    this.#hold();
    this.#lifecycle.lost(why);
  }

  #submit(request: DiskRequest, owner: object | undefined): void {
    if (this.#refusal === undefined) this.#flow.submit(request, owner);
    else request.complete({ error: this.#refusal, pieces: [], room: undefined });
  }

  #connected(connection: Negotiated): void {
    const { clock, log } = this.#options;
    this.#holdTimer?.cancel();
    this.#holdTimer = undefined;
    this.#refusal = undefined;
    // Nobody waits, so that the server need not answer anything to end this outage.
    if (this.#flow.held === 0) this.#awaySinceMs = undefined;
    this.#session = new UpstreamSession(connection, this, clock);
    for (const user of this.#users.values()) user.onReset();
    if (this.#flow.held > 0) log.info(`sending ${this.#flow.held} held requests`);
    this.#flow.connected(this.#session);
    this.#session.begin();
  }

  /** Starts, or goes on with, the time for which requests are held. A server that answers nothing does not end it. */
  #hold(): void {
    const { clock, holdTimeoutMs } = this.#options;
    if (holdTimeoutMs === undefined) return;
    this.#awaySinceMs ??= clock.nowMs();
    const leftMs = Math.max(0, this.#awaySinceMs + holdTimeoutMs - clock.nowMs());
    this.#holdTimer = clock.setTimer(leftMs, () => this.#stopHolding(holdTimeoutMs));
  }

  #stopHolding(holdTimeoutMs: number): void {
    const { log } = this.#options;
    this.#holdTimer = undefined;
    this.#refusal = NBD_ERROR.EIO;
    log.error(
      `no server for ${holdTimeoutMs / 1000} s: answering ${this.#flow.held} held requests, and new ones, with EIO`,
    );
    this.#flow.fail(NBD_ERROR.EIO);
  }

  /** Has the server put everything answered on stable storage; false when it did not say so. */
  async #flush(): Promise<boolean> {
    const flags = this.#geometry?.flags ?? 0;
    const needless = (flags & TRANSMISSION_FLAG.SEND_FLUSH) === 0 || (flags & TRANSMISSION_FLAG.READ_ONLY) !== 0;
    if (needless) return true;
    if (!this.#flow.open) return false;
    const flush = { command: COMMAND.FLUSH, flags: 0, offset: 0, length: 0, payload: [], room: undefined };
    return new Promise((resolve) => {
      this.#idle = () => resolve(false);
      this.#submit({ ...flush, complete: (reply) => resolve(reply.error === 0) }, undefined);
    });
  }
}
