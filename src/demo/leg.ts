import { setTimeout as delay } from "node:timers/promises";

import { BLOCK_BYTES, BURST_BLOCKS, type PlannedKill } from "./demo-plan.ts";
import type { Display } from "./display.ts";
import { mebibytes } from "./mebibytes.ts";
import { Pace } from "./pace.ts";
import type { Progress } from "./progress-bar.ts";

/** One way of the copy, and what happens on it. */
export interface LegOptions {
  readonly phase: string;
  readonly sizeBytes: number;
  readonly kills: readonly PlannedKill[];
  /** How long it takes without the outages. */
  readonly durationMs: number;
  readonly server: { start(signal: AbortSignal): Promise<void>; kill(): Promise<void> };
  readonly display: Display;
  /** Requests that are not answered. */
  readonly inFlight: () => number;
  /** Counts what a server that was just killed has lost of what it had answered, in bytes. */
  readonly countLost: () => Promise<number>;
  readonly signal: AbortSignal;
  /** The server could not be killed or started. */
  readonly failed: (error: unknown) => void;
}

/** The way there, or the way back: all blocks in order, many at once, while the server is killed as planned. */
export class Leg {
  readonly #options: LegOptions;
  readonly #pace: Pace;
  readonly #killsAtBytes: number[] = [];
  #nextOffset = 0;
  #doneBytes = 0;
  #outage: Promise<void> | undefined;
  #serverIsUp = true;
  #awayMs = 0;
  #note = "";

  constructor(options: LegOptions) {
    this.#options = options;
    const intervalMs = (options.durationMs * BURST_BLOCKS * BLOCK_BYTES) / options.sizeBytes;
    this.#pace = new Pace({ turns: BURST_BLOCKS, intervalMs, signal: options.signal });
  }

  /** How often the server was killed. */
  get kills(): number {
    return this.#killsAtBytes.length;
  }

  /** How long the server was away, over all outages. */
  get awayMs(): number {
    return this.#awayMs;
  }

  /** Calls `transfer` for the offset of every block, in order; resolves when all are done and the server is up. */
  async run(transfer: (offset: number) => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: BURST_BLOCKS }, () => this.#lane(transfer)));
    await this.#outage;
  }

  /** Shows a last word on this leg. */
  conclude(note: string): void {
    this.#note = note;
    this.#options.display.happened(this.#progress());
  }

  async #lane(transfer: (offset: number) => Promise<void>): Promise<void> {
    for (;;) {
      await this.#pace.turn();
      const offset = this.#nextOffset;
      if (offset >= this.#options.sizeBytes) return;
      this.#nextOffset += BLOCK_BYTES;
      await transfer(offset);
      this.#doneBytes += BLOCK_BYTES;
      this.#progressed();
    }
  }

  #progressed(): void {
    const { kills, display, failed } = this.#options;
    display.progressed(this.#progress());
    const next = kills[this.#killsAtBytes.length];
    if (next === undefined || !this.#serverIsUp || this.#doneBytes < next.atBytes) return;
    this.#outage = this.#killAndRestart(next.outageMs).catch(failed);
  }

  async #killAndRestart(outageMs: number): Promise<void> {
    const { server, signal, inFlight } = this.#options;
    const sinceMs = performance.now();
    const underWay = inFlight();
    this.#killsAtBytes.push(this.#doneBytes);
    this.#serverIsUp = false;
    const killed = server.kill();
    this.conclude(`server killed, ${underWay} requests under way`);
    await killed;
    await Promise.all([this.#showLost(), delay(outageMs, undefined, { signal })]);
    await server.start(signal);
    const awayMs = performance.now() - sinceMs;
    this.#awayMs += awayMs;
    this.#serverIsUp = true;
    this.conclude(`server back after ${(awayMs / 1000).toFixed(1)} s`);
  }

  async #showLost(): Promise<void> {
    const lostBytes = await this.#options.countLost();
    if (lostBytes > 0) this.conclude(`server lost ${mebibytes(lostBytes)} it had answered`);
  }

  #progress(): Progress {
    const { phase, sizeBytes } = this.#options;
    return {
      phase,
      sizeBytes,
      doneBytes: this.#doneBytes,
      killsAtBytes: this.#killsAtBytes,
      serverIsUp: this.#serverIsUp,
      note: this.#note,
    };
  }
}
