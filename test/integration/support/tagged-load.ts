import { setTimeout as delay } from "node:timers/promises";

import * as wire from "../../simulation/wire.ts";
import type { PlainClient } from "./plain-client.ts";
import { until } from "./until.ts";

const BLOCK = 4096;
const TAG_BYTES = 8;
const WRITERS = 16;
const READERS = 4;
const PAUSE_MS = 10;

/**
 * A client that writes blocks in turn, 16 at a time, and may read them meanwhile. A block is full of tags: its number, and how
 * often it was written so far. What is read must be no older than what was acknowledged before, and no newer than what was
 * sent.
 */
export class TaggedLoad {
  /** What was found that must not be, in words. */
  readonly wrong: string[] = [];
  readonly #client: PlainClient;
  /** Of each block, how often it was sent, and how often this was acknowledged. */
  readonly #sent: number[];
  readonly #acknowledged: number[];
  #writing = false;
  #reading = false;
  #writers: Promise<unknown> = Promise.resolve();
  #readers: Promise<unknown> = Promise.resolve();

  /** Begins to write, the first so many blocks of an empty disk. */
  constructor(client: PlainClient, blocks: number) {
    this.#client = client;
    this.#sent = Array.from({ length: blocks }, () => 0);
    this.#acknowledged = Array.from({ length: blocks }, () => 0);
    this.resumeWriting();
  }

  resumeWriting(): void {
    this.#writing = true;
    this.#writers = Promise.all(Array.from({ length: WRITERS }, (_, number) => this.#writeOn(number)));
    // Whoever ends it hears of it.
    this.#writers.catch(() => undefined);
  }

  /** Begins to read as well. */
  startReading(): void {
    this.#reading = true;
    this.#readers = Promise.all(Array.from({ length: READERS }, (_, number) => this.#readOn(number)));
    this.#readers.catch(() => undefined);
  }

  /** Ends the writing with a FLUSH; resolves when everything is acknowledged. */
  async pauseWriting(): Promise<void> {
    this.#writing = false;
    await this.#writers;
    await this.#succeed({ command: wire.FLUSH });
  }

  /** Waits until every block is written again: whatever has been sent so far is old then. */
  async untilRewritten(): Promise<void> {
    const before = [...this.#sent];
    await until("every block is written again", () =>
      before.every((count, block) => this.#acknowledgedTimes(block) > count),
    );
  }

  /** Reads every block once. */
  async checkAll(): Promise<void> {
    for (const block of this.#sent.keys()) await this.#check(block);
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await this.pauseWriting();
    this.#reading = false;
    await this.#readers;
  }

  /** What the blocks hold when nothing is under way. */
  get content(): Buffer {
    return Buffer.concat(this.#acknowledged.map((times, block) => tagged(block, times)));
  }

  /** Each writer has blocks of its own: no two writes overlap. */
  async #writeOn(number: number): Promise<void> {
    let block = number;
    while (this.#writing) {
      const times = (this.#sent[block] ?? 0) + 1;
      this.#sent[block] = times;
      await this.#succeed({ command: wire.WRITE, offset: block * BLOCK, payload: tagged(block, times) });
      this.#acknowledged[block] = times;
      block = this.#next(block, WRITERS, number);
      await delay(PAUSE_MS);
    }
  }

  async #readOn(number: number): Promise<void> {
    let block = number;
    while (this.#reading) {
      await this.#check(block);
      block = this.#next(block, READERS, number);
      await delay(PAUSE_MS);
    }
  }

  #next(block: number, step: number, first: number): number {
    return block + step < this.#sent.length ? block + step : first;
  }

  async #check(block: number): Promise<void> {
    const oldest = this.#acknowledgedTimes(block);
    const found = await this.#client.read(block * BLOCK, BLOCK);
    const newest = this.#sent[block] ?? 0;
    for (let at = 0; at < BLOCK; at += TAG_BYTES) {
      const [owner, times] = [found.readUInt32BE(at), found.readUInt32BE(at + 4)];
      if (times >= oldest && times <= newest && (owner === block || times === 0)) continue;
      this.wrong.push(`block ${block}, byte ${at}: block ${owner}, ${times} of ${oldest} to ${newest}`);
      return;
    }
  }

  #acknowledgedTimes(block: number): number {
    return this.#acknowledged[block] ?? 0;
  }

  async #succeed(wanted: Parameters<PlainClient["request"]>[0]): Promise<void> {
    const { error } = await this.#client.request(wanted);
    if (error !== 0) throw new Error(`a request was answered with the error ${error}`);
  }
}

function tagged(block: number, times: number): Buffer {
  const tag = Buffer.alloc(TAG_BYTES);
  if (times > 0) tag.writeUInt32BE(block);
  tag.writeUInt32BE(times, 4);
  return Buffer.alloc(BLOCK, tag);
}
