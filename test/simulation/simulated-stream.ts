import type { ByteStream, StreamReader } from "../../src/ports/network.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import * as wire from "./wire.ts";

/** How the connections of one history behave. */
export interface LinkWeather {
  /** The time a byte is under way is drawn between the two. */
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** How likely what is sent together is cut in two, anywhere. */
  readonly cutChance: number;
  /** How likely a read gets less than what is there. */
  readonly shortReadChance: number;
  /** Bytes under way before a writer has to wait. */
  readonly windowBytes: number;
}

/** What both ends of a connection share. */
export interface Link {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly weather: LinkWeather;
  /** Nothing arrives before. */
  frozenUntilMs: number;
  /** The wire is cut: what is sent from now on is lost. */
  severed: boolean;
}

/**
 * One end of a connection in memory. It keeps to what node:net does with a system's sockets: memory for a read may be asked
 * for ahead, memory of a write that did not leave at once is looked at later, a paused reader learns of nothing.
 */
export class SimulatedStream implements ByteStream {
  readonly peer: string;
  readonly peerAddress = undefined;
  readonly #link: Link;
  readonly #left: (() => void) | undefined;
  readonly #lendsAhead: boolean;
  /** The other end; itself until it is joined to it. */
  #other: SimulatedStream = this;
  #reader: StreamReader | undefined;
  #paused = false;
  #gone = false;
  #pendingReset: Error | undefined;

  #unsent: Buffer[] = [];
  /** Sent, and not yet read by the other end. */
  #unreadBytes = 0;
  /** Sent, and not yet arrived. */
  #flyingBytes = 0;
  #lastArrivalMs = 0;
  #blocked = false;
  #ended = false;
  #finSent = false;

  #arrived: Buffer[] = [];
  #mayStillArriveBytes = 0;
  #finArrived = false;
  #endedTold = false;
  #delivering = false;
  #lent: Buffer | undefined;
  #lender: StreamReader | undefined;

  /** `left` is called when who holds this end has done with it, or has learnt that it is lost; perhaps more than once. */
  constructor(peer: string, link: Link, left?: () => void) {
    this.peer = peer;
    this.#link = link;
    this.#left = left;
    this.#lendsAhead = link.random.chance(0.5);
  }

  /** Joins the two ends of a connection. */
  static join(one: SimulatedStream, other: SimulatedStream): void {
    one.#other = other;
    other.#other = one;
  }

  /** It was closed or lost, so that nothing happens to it any more. */
  get gone(): boolean {
    return this.#gone;
  }

  start(reader: StreamReader): void {
    this.#reader = reader;
    this.#deliverLater();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliverLater();
  }

  write(chunks: readonly Buffer[]): boolean {
    if (this.#gone || this.#ended) return true;
    // A write finds out what a paused reader does not see.
    if (this.#pendingReset !== undefined) this.#later(() => this.#lose());
    for (const chunk of chunks) if (chunk.length > 0) this.#unsent.push(chunk);
    // The rest of a polite end may have to wait for room.
    const last = chunks.at(-1);
    if (this.#left !== undefined && last !== undefined && wire.endsWithDisc(last)) this.#left();
    this.#push();
    this.#blocked = this.#unsent.length > 0;
    return !this.#blocked;
  }

  putOff(step: () => void): void {
    queueMicrotask(step);
  }

  end(): void {
    if (this.#gone || this.#ended) return;
    this.#ended = true;
    this.#left?.();
    this.#push();
  }

  destroy(): void {
    if (this.#gone) return;
    const { severed, random, weather, clock } = this.#link;
    const other = this.#other;
    const unread = this.#arrived.length > 0 || other.#unreadBytes > 0;
    this.#leave();
    const reader = this.#reader;
    if (reader !== undefined) this.#later(() => reader.closed(undefined));
    if (severed) return;
    if (!unread && random.chance(0.7)) {
      this.#sendFin();
      return;
    }
    // A reset overtakes what is under way, or what was read before it.
    const soonestMs = this.#soonestResetMs();
    const latestMs = Math.max(this.#lastArrivalMs, soonestMs) + weather.latencyMaxMs;
    clock.setAlarm(random.between(soonestMs, latestMs), () => other.breakDown(new Error("read ECONNRESET")));
  }

  reset(): void {
    if (this.#gone) return;
    const { severed, weather, clock } = this.#link;
    this.#leave();
    const reader = this.#reader;
    if (reader !== undefined) this.#later(() => reader.closed(undefined));
    if (severed) return;
    const atMs = this.#soonestResetMs() + weather.latencyMinMs;
    clock.setAlarm(atMs, () => this.#other.breakDown(new Error("read ECONNRESET")));
  }

  /** The other end, or the network, broke the connection. */
  breakDown(error: Error): void {
    if (this.#gone) return;
    this.#pendingReset = error;
    // A write that waits is told as well.
    if (this.#reader !== undefined && (!this.#paused || this.#unsent.length > 0)) this.#lose();
  }

  /** The wire was cut: an unknown part of what was under way to this end still arrives, and at some time a reset. */
  sever(resetAfterMs: number): void {
    const { clock, random } = this.#link;
    this.#mayStillArriveBytes = random.integer(this.#other.#flyingBytes + 1);
    clock.setTimer(resetAfterMs, () => this.breakDown(new Error("read ECONNRESET")));
  }

  #lose(): void {
    if (this.#gone) return;
    const error = this.#pendingReset;
    this.#leave();
    this.#reader?.closed(error);
  }

  #leave(): void {
    this.#gone = true;
    this.#unsent = [];
    this.#arrived = [];
    this.#lent = undefined;
    this.#left?.();
  }

  /** What is frozen holds a reset back as well. */
  #soonestResetMs(): number {
    const { clock, frozenUntilMs } = this.#link;
    return Math.max(clock.nowMs(), frozenUntilMs);
  }

  #later(callback: () => void): void {
    this.#link.clock.setTimer(0, callback);
  }

  /** Hands to the wire what the window has room for. Only now the memory is looked at. */
  #push(): void {
    const { random, weather } = this.#link;
    while (this.#unsent.length > 0 && this.#unreadBytes < weather.windowBytes) {
      let limit = weather.windowBytes - this.#unreadBytes;
      if (random.chance(weather.cutChance)) limit = 1 + random.integer(Math.min(limit, 200));
      const segment = takeFrom(this.#unsent, limit);
      this.#unreadBytes += segment.length;
      this.#flyingBytes += segment.length;
      this.#link.clock.setAlarm(this.#arrivalMs(), () => {
        this.#flyingBytes -= segment.length;
        this.#other.#arrive(segment);
      });
    }
    if (this.#unsent.length > 0) return;
    if (this.#blocked) {
      this.#blocked = false;
      this.#later(() => {
        if (!this.#gone && !this.#blocked) this.#reader?.drained();
      });
    }
    if (this.#ended) this.#sendFin();
  }

  #arrivalMs(): number {
    const { clock, random, weather, frozenUntilMs } = this.#link;
    const soonestMs = clock.nowMs() + random.between(weather.latencyMinMs, weather.latencyMaxMs);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, soonestMs, frozenUntilMs);
    return this.#lastArrivalMs;
  }

  #sendFin(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    this.#link.clock.setAlarm(this.#arrivalMs(), () => {
      if (!this.#link.severed) this.#other.#finArrives();
    });
    this.#closeIfOver();
  }

  #arrive(segment: Buffer): void {
    const { clock, severed, weather } = this.#link;
    let bytes = segment;
    if (severed) {
      bytes = segment.subarray(0, Math.min(segment.length, this.#mayStillArriveBytes));
      this.#mayStillArriveBytes -= bytes.length;
    } else if (this.#gone) {
      clock.setTimer(weather.latencyMinMs, () => this.#other.breakDown(new Error("write EPIPE")));
    }
    if (this.#gone || bytes.length === 0) return;
    this.#arrived.push(bytes);
    if (!this.#delivering) this.#deliver();
  }

  #finArrives(): void {
    if (this.#gone) return;
    this.#finArrived = true;
    if (!this.#delivering) this.#deliver();
  }

  #deliverLater(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    this.#later(() => {
      this.#delivering = false;
      this.#deliver();
    });
  }

  /** One read, or the news of the end: each is a turn of the event loop of its own. */
  #deliver(): void {
    const reader = this.#reader;
    if (this.#gone || this.#paused || reader === undefined) return;
    if (this.#pendingReset !== undefined) {
      this.#lose();
    } else if (this.#arrived.length > 0) {
      this.#read(reader);
      const more = this.#arrived.length > 0 || this.#finArrived;
      if (more && !this.#gone) this.#deliverLater();
    } else if (this.#finArrived && !this.#endedTold) {
      this.#endedTold = true;
      reader.ended();
      this.#closeIfOver();
    }
  }

  #read(reader: StreamReader): void {
    const { random, weather } = this.#link;
    const target = this.#lent !== undefined && this.#lender === reader ? this.#lent : reader.buffer();
    let limit = target.length;
    if (random.chance(weather.shortReadChance)) limit = 1 + random.integer(Math.min(limit, 100));
    const bytes = takeFrom(this.#arrived, limit);
    bytes.copy(target);
    this.#lent = undefined;
    reader.received(bytes.length);
    if (!this.#gone && this.#lendsAhead && this.#reader !== undefined) {
      this.#lender = this.#reader;
      this.#lent = this.#reader.buffer();
    }
    this.#other.#wasRead(bytes.length);
  }

  #wasRead(bytes: number): void {
    this.#unreadBytes -= bytes;
    if (!this.#gone && !this.#link.severed) this.#push();
  }

  #closeIfOver(): void {
    if (this.#gone || !this.#finSent || !this.#endedTold) return;
    this.#leave();
    const reader = this.#reader;
    this.#later(() => reader?.closed(undefined));
  }
}

/** Takes up to `limit` bytes off the front, as a copy. */
function takeFrom(chunks: Buffer[], limit: number): Buffer {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const bytes = Buffer.allocUnsafe(Math.min(length, limit));
  let filled = 0;
  while (filled < bytes.length) {
    const chunk = chunks[0] as Buffer;
    const copied = chunk.copy(bytes, filled);
    filled += copied;
    if (copied === chunk.length) chunks.shift();
    else chunks[0] = chunk.subarray(copied);
  }
  return bytes;
}
