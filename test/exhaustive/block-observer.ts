import type { Reply } from "../../src/disk.ts";
import { COMMAND, COMMAND_FLAG } from "../../src/protocol/constants.ts";
import type { InFlight } from "../../src/upstream/in-flight.ts";
import { BLOCK_EVENT, blockEvent, RESULT } from "./block-event.ts";
import type { BlockKnowledge, KnowledgeBase } from "./block-knowledge.ts";
import { ClientOperation, payloadValue, replyValue } from "./client-operation.ts";
import { BLOCKS } from "./operation-kinds.ts";

/** What a request that was sent is for the blocks. */
export interface SentParts {
  /** What it writes, block by block. */
  readonly writes: readonly SlotWrite[];
  /** The slot of a FLUSH. */
  readonly flushSlot: number;
}

/** The part of a write-like request that concerns one block. */
interface SlotWrite {
  readonly block: number;
  readonly slot: number;
  readonly value: number;
}

/** A write of a lost connection, and until when it may be carried out. */
interface LateWrite {
  readonly writes: readonly SlotWrite[];
  readonly untilMs: number;
}

const NO_WRITES: readonly SlotWrite[] = [];

/** Watches what clients and server say to the proxy, tells each block what concerns it, and keeps what is known of it. */
export class BlockObserver {
  /** The first thing that is wrong, and at which block. */
  wrong: string | undefined;
  wrongBlock: number | undefined;
  readonly #known: BlockKnowledge[];
  readonly #noted: ((block: number, event: number) => void) | undefined;
  readonly #late: LateWrite[] = [];
  /** The slots in use, as bits: those of writes for each block, then those of FLUSHes. */
  readonly #used = Array<number>(BLOCKS + 1).fill(0);

  /** `noted` is told every event of a block. */
  constructor(bases: readonly KnowledgeBase[], noted: ((block: number, event: number) => void) | undefined) {
    this.#known = bases.map((base) => base.start);
    this.#noted = noted;
  }

  /** The client asks; `which` is the kind of operation. */
  begun(operation: ClientOperation, which: number): void {
    this.#tell(operation, blockEvent(BLOCK_EVENT.begun, operation.number, which));
  }

  /** The client is answered. */
  ended(operation: ClientOperation, reply: Reply): void {
    const { kind, number } = operation;
    if (reply.error !== 0) this.#tell(operation, blockEvent(BLOCK_EVENT.ended, number, RESULT.failed));
    else if (kind.command !== COMMAND.READ) this.#tell(operation, blockEvent(BLOCK_EVENT.ended, number, RESULT.done));
    else {
      for (let block = 0; block < kind.blocks; block += 1) {
        this.#note(block, blockEvent(BLOCK_EVENT.ended, number, replyValue(reply, block)));
      }
    }
  }

  /** The proxy sends a request. */
  sent(entry: InFlight): SentParts {
    const { command, flags, request } = entry;
    const flushSlot = command === COMMAND.FLUSH ? this.#take(BLOCKS) : 0;
    const writes = entry.writeLike ? this.#writes(entry) : NO_WRITES;
    if (command === COMMAND.FLUSH) this.#noteAll(blockEvent(BLOCK_EVENT.flushSent, flushSlot));
    else if (command === COMMAND.READ && request instanceof ClientOperation)
      this.#tell(request, blockEvent(BLOCK_EVENT.readSent, request.number));
    const isFua = (flags & COMMAND_FLAG.FUA) === 0 ? 0 : 1;
    for (const { block, slot, value } of writes) {
      this.#note(block, blockEvent(BLOCK_EVENT.writeSent, slot, value, isFua));
    }
    return { writes, flushSlot };
  }

  /** The server answers one; a READ is seen when its client is answered. */
  answered({ command }: InFlight, { writes, flushSlot }: SentParts, failed: boolean): void {
    this.#release(BLOCK_EVENT.writeAnswered, writes);
    if (command !== COMMAND.FLUSH) return;
    this.#used[BLOCKS] = (this.#used[BLOCKS] ?? 0) & ~(1 << flushSlot);
    this.#noteAll(blockEvent(BLOCK_EVENT.flushAnswered, flushSlot, 0, failed ? 1 : 0));
  }

  /** There is a new connection after a lost one. What that one left unanswered may be carried out until then. */
  reconnected(unanswered: readonly SentParts[], untilMs: number): void {
    for (const { writes } of unanswered) if (writes.length > 0) this.#late.push({ writes, untilMs });
    this.#used[BLOCKS] = 0;
    this.#noteAll(blockEvent(BLOCK_EVENT.connected));
  }

  /** It will be this late: what may be carried out late must have been by now. */
  passed(nowMs: number): void {
    while (this.#late[0] !== undefined && this.#late[0].untilMs < nowMs) {
      const late = this.#late.shift();
      if (late !== undefined) this.#release(BLOCK_EVENT.expired, late.writes);
    }
  }

  /** Nothing is under way, and everything is flushed. */
  over(): void {
    for (const [block, { wrongAtEnd }] of this.#known.entries()) {
      if (wrongAtEnd !== undefined) this.#isWrong(`at the end: ${wrongAtEnd}`, block);
    }
  }

  #writes({ command, length, offset, request }: InFlight): readonly SlotWrite[] {
    const writes: SlotWrite[] = [];
    for (let block = offset; block < offset + length; block += 1) {
      const value = command === COMMAND.WRITE ? payloadValue(request.payload, block - offset) : 0;
      writes.push({ block, slot: this.#take(block), value });
    }
    return writes;
  }

  #take(place: number): number {
    const used = this.#used[place] ?? 0;
    // The lowest bit that is not set.
    const slot = 31 - Math.clz32(~used & (used + 1));
    this.#used[place] = used | (1 << slot);
    return slot;
  }

  /** A write is answered, or will not be carried out any more. */
  #release(kind: number, writes: readonly SlotWrite[]): void {
    for (const { block, slot, value } of writes) {
      this.#used[block] = (this.#used[block] ?? 0) & ~(1 << slot);
      this.#note(block, blockEvent(kind, slot, value));
    }
  }

  /** Notes an event at the blocks that an operation is about. */
  #tell({ kind }: ClientOperation, event: number): void {
    for (let block = 0; block < BLOCKS; block += 1) {
      if (block < kind.blocks || kind.kind === "flush") this.#note(block, event);
    }
  }

  #noteAll(event: number): void {
    for (let block = 0; block < BLOCKS; block += 1) this.#note(block, event);
  }

  #note(block: number, event: number): void {
    this.#noted?.(block, event);
    const known = this.#known[block]?.after(event);
    if (known === undefined) return;
    this.#known[block] = known;
    if (known.wrong !== undefined) this.#isWrong(known.wrong, block);
  }

  #isWrong(what: string, block: number): void {
    this.wrong ??= `block ${block}: ${what}`;
    this.wrongBlock ??= block;
  }
}
