import type { Clock } from "../ports/clock.ts";

/** Samples that count fully; older ones fade. */
const SAMPLES = 64;
/** Sizes that differ less than this tell nothing about what a byte costs. */
const NOTABLE_BYTES = 16 * 1024;
/** A sample is at most so many times what the mean lets expect: one stall of the server is not what reading costs. */
const OUTLIER = 8;

/** A read that was sent: when, and how many bytes had arrived until then. */
export interface SentRead {
  readonly atMs: number;
  readonly arrivedBytes: number;
}

/**
 * What it costs to read from the disk below, learnt from the reads themselves: a time for each of them, however long it is, and
 * a time for each byte.
 *
 * It is the line through the samples, the newest of which weigh most. A sample is the time that a read took, and the bytes that
 * arrived in that time: with several on their way, they wait for each other's bytes, but not for each other's distance.
 */
export class ReadCost {
  readonly #clock: Pick<Clock, "nowMs">;
  #arrivedBytes = 0;
  #forgottenAtMs = -Infinity;
  #samples = 0;
  #meanBytes = 0;
  #meanMs = 0;
  #variance = 0;
  #covariance = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** A read is about to be sent. */
  send(): SentRead {
    return { atMs: this.#clock.nowMs(), arrivedBytes: this.#arrivedBytes };
  }

  /** The answer of so many bytes is here. */
  arrived({ atMs, arrivedBytes }: SentRead, lengthBytes: number): void {
    this.#arrivedBytes += lengthBytes;
    // What waited for another disk tells nothing about this one.
    if (atMs < this.#forgottenAtMs) return;
    this.#learn(this.#arrivedBytes - arrivedBytes, this.#clock.nowMs() - atMs);
  }

  /**
   * How many bytes arrive in the time that a read costs whatever its length. Who asks for as much before it is needed never
   * waits; what is asked for beyond it only waits for its turn. Infinity while nothing tells what a byte costs.
   */
  get distanceBytes(): number {
    const msPerByte = this.#covariance / (this.#variance + NOTABLE_BYTES ** 2);
    if (!(msPerByte > 0)) return Infinity;
    return Math.max(0, this.#meanMs - msPerByte * this.#meanBytes) / msPerByte;
  }

  /** Another disk may be below now. */
  forget(): void {
    this.#forgottenAtMs = this.#clock.nowMs();
    this.#samples = 0;
    this.#meanBytes = 0;
    this.#meanMs = 0;
    this.#variance = 0;
    this.#covariance = 0;
  }

  #learn(bytes: number, tookMs: number): void {
    const mostMs = OUTLIER * this.#meanMs * Math.max(1, bytes / this.#meanBytes);
    const ms = this.#samples === 0 ? tookMs : Math.min(tookMs, mostMs);
    this.#samples = Math.min(this.#samples + 1, SAMPLES);
    const weight = 1 / this.#samples;
    const deltaBytes = bytes - this.#meanBytes;
    const deltaMs = ms - this.#meanMs;
    this.#meanBytes += weight * deltaBytes;
    this.#meanMs += weight * deltaMs;
    this.#variance = (1 - weight) * (this.#variance + weight * deltaBytes ** 2);
    this.#covariance = (1 - weight) * (this.#covariance + weight * deltaBytes * deltaMs);
  }
}
