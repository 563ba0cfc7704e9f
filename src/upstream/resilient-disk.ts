import type { Disk, DiskHandle, DiskRequest, DiskUser, Reply } from "../disk.ts";
import { durabilityCounters } from "../durability/durability-counters.ts";
import { NBD_ERROR } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { Connector } from "./connector.ts";
import { type DurabilityStatus, durabilityStatus } from "./durability-status.ts";
import { FinalFlush } from "./final-flush.ts";
import { HoldLimit } from "./hold-limit.ts";
import type { InFlight } from "./in-flight.ts";
import { Lifecycle, type Outage } from "./lifecycle.ts";
import { Linger } from "./linger.ts";
import { pingRequest } from "./ping-request.ts";
import { protection } from "./protection.ts";
import { ReconnectPolicy } from "./reconnect-policy.ts";
import type { RecoverySummary } from "./recovery.ts";
import { RequestFlow } from "./request-flow.ts";
import type { ResilientDiskOptions } from "./resilient-disk-options.ts";
import { type ExportNeeds, sameContexts } from "./same-export.ts";
import { type Negotiated, type SessionOwner, UpstreamSession } from "./upstream-session.ts";

/** How a ResilientDisk was closed. */
export interface DiskClosure {
  /** The server confirmed a last FLUSH, or none was needed. */
  readonly flushed: boolean;
  /** Acknowledged bytes that had to be given up. */
  readonly discardedBytes: number;
}

/**
 * A disk made from a server that may vanish. Requests that were not answered are held and sent again when the server is
 * back, and what was answered is kept until it is flushed, so that the user of the disk only sees a slower reply.
 */
export class ResilientDisk implements Disk, SessionOwner {
  readonly #options: ResilientDiskOptions;
  readonly #connector: Connector;
  readonly #lifecycle: Lifecycle;
  readonly #counters = durabilityCounters();
  readonly #users = new Map<object, DiskUser>();
  readonly #holdLimit: HoldLimit;
  readonly #linger: Linger;
  #geometry: Geometry | undefined;
  #openFlow: RequestFlow | undefined;
  #session: UpstreamSession | undefined;
  /** A lost connection whose server has not ended it. */
  #unfenced: UpstreamSession | undefined;
  /** Lost connections whose streams are still there, for last answers. */
  readonly #leaving = new Set<UpstreamSession>();
  #outage: Outage | undefined;
  /** The hold timeout has passed, or the disk is closed: requests are answered with this error instead of held. */
  #refusal: number | undefined;
  readonly #finalFlush: FinalFlush;

  constructor(options: ResilientDiskOptions) {
    this.#options = options;
    const { clock, log, random, reconnectIntervalMaxMs, holdTimeoutMs, lingerMs } = options;
    this.#connector = new Connector(options);
    this.#holdLimit = new HoldLimit(clock, holdTimeoutMs, (timeoutMs) => this.#stopHolding(timeoutMs));
    this.#linger = new Linger(clock, lingerMs, () => this.#stopLingering());
    this.#finalFlush = new FinalFlush(clock);
    this.#lifecycle = new Lifecycle({
      connector: this.#connector,
      policy: new ReconnectPolicy(random, reconnectIntervalMaxMs),
      clock,
      log,
      connected: (connection, outage) => this.#connected(connection, outage),
      mayProceed: () => options.fence === "none" || this.#unfenced === undefined,
      replaced: (geometry) => this.#replaced(geometry),
      needs: () => this.#needs,
      giveUp: (why) => this.#session?.retire(why),
    });
  }

  /** Connects for the first time, with a single attempt. Rejects with the reason why that failed. */
  async open(): Promise<void> {
    await this.#lifecycle.start();
  }

  /** What the server offered when it was connected to first, but its contexts are the latest. The disk must be open. */
  get geometry(): Geometry {
    if (this.#geometry === undefined) throw new Error("the disk is not open");
    return this.#geometry;
  }

  /** Where the server is that is connected, or tried next; for log lines. */
  get server(): string {
    return this.#connector.server;
  }

  /** What is held, and what was done to keep it safe. The disk must be open. */
  get status(): DurabilityStatus {
    return durabilityStatus(this.#flow, this.#counters, this.#options.clock.nowMs());
  }

  attach(user: DiskUser): DiskHandle {
    const owner = {};
    this.#users.set(owner, user);
    this.#linger.end();
    return {
      submit: (request) => this.#submit(request, owner),
      close: () => {
        if (!this.#users.delete(owner)) return;
        this.#flow.drop(owner, NBD_ERROR.ESHUTDOWN);
        if (this.#users.size > 0) return;
        this.#flow.flushSoon();
        this.#lingerIfLeft();
      },
    };
  }

  /**
   * Ends the connection: FLUSH if the server offers it, within `LIMITS.drainMs`, then DISC. What is still held is answered
   * ESHUTDOWN.
   */
  async close(): Promise<DiskClosure> {
    const flow = this.#openFlow;
    const flushed = flow === undefined || (await this.#finalFlush.of(flow, this.geometry, this.#session !== undefined));
    this.#lifecycle.close();
    this.#holdLimit.connected();
    this.#refusal = NBD_ERROR.ESHUTDOWN;
    const session = this.#session;
    this.#session = undefined;
    flow?.lost();
    flow?.fail(NBD_ERROR.ESHUTDOWN);
    const discardedBytes = flow?.discard() ?? 0;
    flow?.close();
    // Only now: users that were answered just before have left.
    this.#linger.end();
    await Promise.all([session, ...this.#leaving].map(async (one) => one?.disconnect()));
    return { flushed, discardedBytes };
  }

  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    return this.#flow.find(cookieHigh, cookieLow);
  }

  replied(entry: InFlight, reply: Reply): void {
    // Replays prove nothing: whoever waits still waits. Nor does a late answer that the next connection works.
    if (entry.kind === "user") {
      if (entry.session !== undefined) this.#lifecycle.answered();
      this.#holdLimit.answered();
    }
    this.#flow.replied(entry, reply);
  }

  lost(session: UpstreamSession, why: Error): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#unfenced = session;
    this.#leaving.add(session);
    this.#flow.lost();
    // Nobody waits for a ping.
    this.#flow.drop(this, NBD_ERROR.ESHUTDOWN);
    if (this.#flow.unflushed.unstableBytes === 0) this.#finalFlush.giveUp();
    this.#holdLimit.lost();
    this.#lifecycle.lost(why);
    this.#lingerIfLeft();
  }

  over(session: UpstreamSession, ended: boolean): void {
    this.#leaving.delete(session);
    if (session !== this.#unfenced) return;
    if (ended) {
      this.#unfenced = undefined;
      this.#lifecycle.proceed();
    } else if (this.#options.fence === "strict") {
      this.#options.log.error(
        "the connection ended without the server: what it was sent may still be carried out; stopping here",
      );
    }
  }

  silent(session: UpstreamSession): void {
    if (session === this.#session) this.#lifecycle.silent();
  }

  heardAgain(session: UpstreamSession): void {
    if (session === this.#session) this.#lifecycle.heardAgain();
  }

  /** Asks for one block, so that a server that is gone without a sign is noticed before a user needs it. */
  idle(session: UpstreamSession): void {
    const ping = pingRequest(this.geometry);
    if (session !== this.#session || ping === undefined) return;
    this.#submit({ ...ping, complete: () => undefined }, this);
  }

  get #needs(): ExportNeeds {
    const { held, unflushed } = this.#flow;
    const contexts = [...this.#users.values()].flatMap((user) => user.contexts ?? []);
    return { anySize: this.#users.size === 0 && held === 0 && unflushed.entries === 0, contexts };
  }

  get #flow(): RequestFlow {
    if (this.#openFlow === undefined) throw new Error("the disk is not open");
    return this.#openFlow;
  }

  #submit(request: DiskRequest, owner: object | undefined): void {
    if (this.#refusal === undefined) this.#flow.submit(request, owner);
    else request.complete({ error: this.#refusal, pieces: [], room: undefined });
  }

  /** Another export, or the first one: everything begins anew. */
  #replaced(geometry: Geometry): void {
    this.#openFlow?.close();
    this.#geometry = geometry;
    const { log } = this.#options;
    const { unflushed, because } = protection(this.#options.unflushed, geometry);
    if (because !== undefined) log.info(`server ${this.server}: ${because}: no copies of unflushed writes are kept`);
    const recovered = (summary: RecoverySummary): void => this.#recovered(summary);
    this.#openFlow = new RequestFlow({ ...this.#options, counters: this.#counters, unflushed, recovered });
  }

  #connected(connection: Negotiated, outage: Outage | undefined): void {
    const { clock, fence, log, upstreamTimeoutMs, idlePingMs } = this.#options;
    if (this.#openFlow === undefined) this.#replaced(connection.geometry);
    const { contexts } = connection.geometry;
    if (!sameContexts(this.geometry.contexts, contexts)) this.#geometry = { ...this.geometry, contexts };
    this.#holdLimit.connected();
    this.#linger.end();
    this.#refusal = undefined;
    this.#flow.unflushed.frozen = this.#flow.failed;
    if (outage !== undefined) this.#outage = { ...outage, sinceMs: this.#outage?.sinceMs ?? outage.sinceMs };
    if (this.#unfenced !== undefined) this.#counters.unfencedReconnects += 1;
    this.#unfenced = undefined;
    // Nobody waits, so that the server need not answer anything to end this outage.
    if (this.#flow.held === 0) this.#holdLimit.answered();
    const strict = fence === "strict";
    this.#session = new UpstreamSession(connection, this, {
      clock,
      silenceMs: upstreamTimeoutMs,
      idleMs: idlePingMs,
      strict,
    });
    for (const user of this.#users.values()) user.onReset();
    if (this.#flow.held > 0) log.info(`sending ${this.#flow.held} held requests`);
    this.#flow.connected(this.#session);
    this.#session.begin();
  }

  /** One line says what an outage came to. */
  #recovered({ resentRequests, replayedBytes, pinnedBytes }: RecoverySummary): void {
    const outage = this.#outage;
    this.#outage = undefined;
    if (outage === undefined) return;
    const { clock, log } = this.#options;
    this.#counters.recoveries += 1;
    const seconds = ((clock.nowMs() - outage.sinceMs) / 1000).toFixed(1);
    log.warning(
      `server ${this.server}: connected again after ${seconds} s, attempt ${outage.attempts}: ` +
        `${resentRequests} requests sent again, ${replayedBytes} bytes replayed, ${pinnedBytes} bytes pinned`,
    );
  }

  #stopHolding(timeoutMs: number): void {
    const { log } = this.#options;
    this.#refusal = NBD_ERROR.EIO;
    log.error(
      `no server for ${timeoutMs / 1000} s: answering ${this.#flow.held} held requests, and new ones, with EIO`,
    );
    this.#flow.fail(NBD_ERROR.EIO);
    // Full of unflushed writes, it would take in no request to be refused.
    this.#flow.unflushed.frozen = true;
  }

  /** Neither user nor server is there: what is held is kept for a while. */
  #lingerIfLeft(): void {
    const { held, unflushed } = this.#flow;
    if (this.#users.size === 0 && this.#session === undefined && held + unflushed.entries > 0) this.#linger.begin();
  }

  #stopLingering(): void {
    const { lingerMs, log } = this.#options;
    const requests = this.#flow.held;
    this.#flow.fail(NBD_ERROR.ESHUTDOWN);
    const bytes = this.#flow.discard();
    if (requests + bytes === 0) return;
    log.error(
      `neither a client nor the server for ${lingerMs / 1000} s: ` +
        `gave up ${requests} requests and ${bytes} bytes that were acknowledged and not flushed`,
    );
  }
}
