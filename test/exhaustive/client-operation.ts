import type { DiskRequest, Reply } from "../../src/disk.ts";
import { COMMAND } from "../../src/protocol/constants.ts";
import type { SlabPool } from "../../src/transport/slab-pool.ts";
import { Slice } from "../../src/transport/slice.ts";
import { RESULT } from "./block-event.ts";
import { MOST_OPERATIONS, type OperationKind } from "./operation-kinds.ts";
import { operationValue } from "./operation-value.ts";

/** What a server's reply to a READ has in place of each block's value: whatever is there. */
export const SHOWN = 0xee;

/** Values from here on are not known to anybody. */
const VALUES = operationValue(MOST_OPERATIONS, "write");

/** Is told whenever an answer comes, which should be once. */
export interface Client {
  ended(operation: ClientOperation, reply: Reply): void;
}

/** A request of the client. */
export class ClientOperation implements DiskRequest {
  readonly number: number;
  readonly kind: OperationKind;
  readonly command: number;
  readonly flags: number;
  readonly offset = 0;
  readonly length: number;
  readonly payload: readonly Slice[];
  readonly room = undefined;
  answers = 0;
  readonly #client: Client;

  constructor(number: number, kind: OperationKind, pool: SlabPool, client: Client) {
    this.number = number;
    this.kind = kind;
    this.command = kind.command;
    this.flags = kind.flags;
    this.length = kind.blocks;
    this.payload =
      kind.command === COMMAND.WRITE ? [payload(pool, operationValue(number, kind.kind), kind.blocks)] : [];
    this.#client = client;
  }

  complete(reply: Reply): void {
    this.answers += 1;
    this.#client.ended(this, reply);
    // As a client does; who still needs the payload has retained it.
    if (this.answers === 1) for (const { slab } of this.payload) slab.release();
  }
}

function payload(pool: SlabPool, value: number, blocks: number): Slice {
  const slab = pool.take();
  slab.buffer.fill(value, 0, blocks);
  return new Slice(slab, 0, blocks, 0);
}

/** The value of a block in a payload. */
export function payloadValue(slices: readonly Slice[], block: number): number {
  let at = 0;
  for (const { slab, start, length } of slices) {
    if (block < at + length) return valueOf(slab.buffer[start + block - at]);
    at += length;
  }
  return RESULT.foreign;
}

/** The value of a block in the data of a READ, or RESULT.shown. */
export function replyValue({ pieces }: Reply, block: number): number {
  let at = 0;
  for (const piece of pieces) {
    const length = piece.kind === "hole" ? piece.lengthBytes : piece.slice.length;
    if (block < at + length) {
      if (piece.kind === "hole") return 0;
      return valueOf(piece.slice.slab.buffer[piece.slice.start + block - at]);
    }
    at += length;
  }
  return RESULT.foreign;
}

function valueOf(byte = SHOWN): number {
  if (byte === SHOWN) return RESULT.shown;
  return byte < VALUES ? byte : RESULT.foreign;
}
