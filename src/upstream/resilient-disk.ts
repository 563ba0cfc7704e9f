import type { Disk, DiskHandle, DiskRequest, DiskUser, Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import type { Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { COMMAND, NBD_ERROR, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
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
  /** How long the server may be silent while requests wait before another connection is tried beside it. */
  readonly upstreamTimeoutMs: number;
  /** After how long without a word an idle server is asked for a block; undefined: never. */
  readonly idlePingMs: number | undefined;
  readonly reconnectIntervalMaxMs: number;
}

/** What a ping asks for at least; block devices have no smaller blocks. */
const PING_BYTES = 512;

/**
 * A disk made from a server that may vanish. Requests that were not answered are held and sent again when the server is
 * back, so that the user of the disk only sees a slower reply.
 */
export class ResilientDisk implements Disk, SessionOwner {
  readonly #options: ResilientDiskOptions;
  readonly #connector: Connector;
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
    const { clock, log, random, reconnectIntervalMaxMs } = options;
    this.#connector = new Connector(options);
    this.#lifecycle = new Lifecycle({
      connector: this.#connector,
      policy: new ReconnectPolicy(random, reconnectIntervalMaxMs),
      clock,
      log,
      connected: (connection) => this.#connected(connection),
      giveUp: (why) => this.#session?.retire(why),
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

  /** Where the server is that is connected, or tried next; for log lines. */
  get server(): string {
    return this.#connector.server;
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
   * Ends the connection: FLUSH if the server offers it, within `LIMITS.drainMs`, then DISC. Resolves to whether the server
   * confirmed the FLUSH (true where none is needed). What is still held is answered ESHUTDOWN.
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
    // A late answer over a connection that was given up does not prove that the next one works.
    if (entry.wire === this.#session) this.#lifecycle.answered();
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

  silent(session: UpstreamSession): void {
    if (session === this.#session) this.#lifecycle.silent();
  }

  heardAgain(session: UpstreamSession): void {
    if (session === this.#session) this.#lifecycle.heardAgain();
  }

  /** Asks for one block, so that a server that is gone without a sign is noticed before a user needs it. */
  idle(session: UpstreamSession): void {
    const { sizeBytes, minimumBlockBytes } = this.geometry;
    const length = Math.max(minimumBlockBytes, PING_BYTES);
    if (session !== this.#session || length > sizeBytes) return;
    const ping = { command: COMMAND.READ, flags: 0, offset: 0, length, payload: [], room: undefined };
    this.#submit({ ...ping, complete: () => undefined }, undefined);
  }

  #submit(request: DiskRequest, owner: object | undefined): void {
    if (this.#refusal === undefined) this.#flow.submit(request, owner);
    else request.complete({ error: this.#refusal, pieces: [], room: undefined });
  }

  #connected(connection: Negotiated): void {
    const { clock, log, upstreamTimeoutMs, idlePingMs } = this.#options;
    this.#holdTimer?.cancel();
    this.#holdTimer = undefined;
    this.#refusal = undefined;
    // Nobody waits, so that the server need not answer anything to end this outage.
    if (this.#flow.held === 0) this.#awaySinceMs = undefined;
    this.#session = new UpstreamSession(connection, this, { clock, silenceMs: upstreamTimeoutMs, idleMs: idlePingMs });
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
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(LIMITS.drainMs, () => resolve(false));
      const done = (flushed: boolean): void => {
        timer.cancel();
        resolve(flushed);
      };
      this.#idle = () => done(false);
      this.#submit({ ...flush, complete: (reply) => done(reply.error === 0) }, undefined);
    });
  }
}
