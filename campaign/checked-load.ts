import { EventEmitter, once } from "node:events";

import * as wire from "../test/simulation/wire.ts";
import type { BlockLedger } from "./block-ledger.ts";
import { BLOCK_BYTES, writeTags } from "./block-tag.ts";
import type { NbdRequest, Requester } from "./nbd-client.ts";
import type { OperationMix } from "./operation-mix.ts";
import type { Operation, WantedOperation } from "./operation.ts";
import { emptyTally } from "./tally.ts";
import type { Tally } from "./tally.ts";
import { UnflushedWrites } from "./unflushed-writes.ts";

/** How much is read back at a time, and how many such reads are in flight. */
const READ_BACK_BLOCKS = 512;
const READ_BACK_DEPTH = 8;

const COMMANDS = {
  read: wire.READ,
  write: wire.WRITE,
  zeroes: wire.WRITE_ZEROES,
  trim: wire.TRIM,
  flush: wire.FLUSH,
} as const;

/** Several clients that write, read and check what they read, as fast as they can. */
export class CheckedLoad {
  readonly unflushed = new UnflushedWrites();
  readonly #clients: readonly Requester[];
  readonly #ledger: BlockLedger;
  /** Tells of every answer, and of the end of a pause. */
  readonly #events = new EventEmitter().setMaxListeners(0);
  #tally = emptyTally();
  #isPaused = false;
  #isStopped = false;
  #inFlight = 0;
  #answers = 0;

  constructor(clients: readonly Requester[], ledger: BlockLedger) {
    this.#clients = clients;
    this.#ledger = ledger;
  }

  /** How many operations were answered so far. */
  get answers(): number {
    return this.#answers;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What was done and seen since the last call. */
  takeTally(): Tally {
    const tally = this.#tally;
    this.#tally = emptyTally();
    return tally;
  }

  /** Works with so many operations in flight per client until it is stopped. Rejects when a client's connection ends. */
  async run(mixes: readonly OperationMix[], depth: number): Promise<void> {
    const workers = this.#clients.flatMap((client, index) => {
      const mix = mixes[index];
      return mix === undefined ? [] : Array.from({ length: depth }, () => this.#work(client, index, mix));
    });
    try {
      await Promise.all(workers);
    } finally {
      this.stop();
    }
  }

  /** Begins nothing new. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#events.emit("resume");
  }

  /** Begins nothing new, ever. */
  stop(): void {
    this.#isStopped = true;
    this.resume();
  }

  /** Waits until nothing is in flight, for a load that was paused or stopped. */
  async idle(): Promise<void> {
    while (this.#inFlight > 0) await once(this.#events, "answer");
  }

  /** Reads the whole disk and checks it. */
  async readBack(): Promise<void> {
    const [client] = this.#clients;
    if (client === undefined) return;
    let next = 0;
    const read = async (): Promise<void> => {
      while (next < this.#ledger.blocks) {
        const firstBlock = next;
        const blocks = Math.min(READ_BACK_BLOCKS, this.#ledger.blocks - firstBlock);
        next += blocks;
        await this.#perform(client, 0, { kind: "read", firstBlock, blocks, fua: false });
      }
    };
    await Promise.all(Array.from({ length: READ_BACK_DEPTH }, read));
  }

  /** Resolves to the error that the FLUSH was answered with, 0 for none. */
  async flush(): Promise<number> {
    const [client] = this.#clients;
    if (client === undefined) return 0;
    return (await this.#perform(client, 0, { kind: "flush", firstBlock: 0, blocks: 0, fua: false })).error;
  }

  async #work(client: Requester, index: number, mix: OperationMix): Promise<void> {
    while (!this.#isStopped) {
      if (this.#isPaused) await once(this.#events, "resume");
      else await this.#perform(client, index, mix.next());
    }
  }

  async #perform(client: Requester, index: number, wanted: WantedOperation): Promise<Operation> {
    const operation = this.#ledger.begin(wanted);
    this.#inFlight += 1;
    try {
      const { error, data } = await client.request(requestOf(operation, index));
      const findings = this.#ledger.finish(operation, error, data);
      this.#count(operation);
      this.#tally.findings.push(...findings);
    } finally {
      this.#inFlight -= 1;
      this.#events.emit("answer");
    }
    return operation;
  }

  #count(operation: Operation): void {
    const { kind, blocks, error } = operation;
    this.#answers += 1;
    this.#tally.operations += 1;
    this.unflushed.answered(operation);
    if (error !== 0) this.#tally.errors.set(error, (this.#tally.errors.get(error) ?? 0) + 1);
    else if (kind === "read") this.#tally.bytesRead += blocks * BLOCK_BYTES;
    else if (kind === "write" || kind === "zeroes") this.#tally.bytesWritten += blocks * BLOCK_BYTES;
  }
}

function requestOf({ kind, firstBlock, blocks, fua, value }: Operation, client: number): NbdRequest {
  const length = blocks * BLOCK_BYTES;
  const request = { command: COMMANDS[kind], flags: fua ? wire.FUA : 0, offset: firstBlock * BLOCK_BYTES, length };
  if (kind !== "write") return request;
  const payload = Buffer.allocUnsafe(length);
  writeTags(payload, firstBlock, value, client);
  return { ...request, payload };
}
