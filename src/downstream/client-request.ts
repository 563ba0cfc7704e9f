import assert from "node:assert";
import type { DiskRequest, Reply } from "../disk.ts";
import { REQUEST_HEADER_BYTES } from "../protocol/constants.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import type { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";

/** Who answers a client's request. */
export interface RequestOwner {
  answer(request: ClientRequest, reply: Reply): void;
}

const NO_PAYLOAD: readonly Slice[] = [];

/** One request of a client: where it came from in the slab, and the memory that it holds until it is answered. */
export class ClientRequest implements DiskRequest {
  readonly command: number;
  /** As the client sent them, until the request goes to the disk. */
  flags: number;
  readonly offset: number;
  readonly length: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
  payload: readonly Slice[] = NO_PAYLOAD;
  readonly room: Slice;
  /** What was taken from the budget for it. */
  readonly reservedBytes: number;
  readonly #owner: RequestOwner;
  #answered = false;

  /** The header was found at `at` of `slab`. */
  constructor(owner: RequestOwner, header: Readonly<RequestHeader>, reservedBytes: number, slab: Slab, at: number) {
    this.#owner = owner;
    this.command = header.command;
    this.flags = header.flags;
    this.offset = header.offset;
    this.length = header.length;
    this.cookieHigh = header.cookieHigh;
    this.cookieLow = header.cookieLow;
    this.reservedBytes = reservedBytes;
    const end = at + REQUEST_HEADER_BYTES;
    this.room = new Slice(slab, end, end, REQUEST_HEADER_BYTES);
  }

  /** Adds received payload; what follows directly in the same slab grows the last slice. */
  addPayload(slab: Slab, start: number, end: number): void {
    const last = this.payload.at(-1);
    if (last !== undefined && last.slab === slab && last.end === start) {
      last.end = end;
      return;
    }
    slab.retain();
    const behindHeader = last === undefined && slab === this.room.slab && start === this.room.end;
    const slice = new Slice(slab, start, end, behindHeader ? REQUEST_HEADER_BYTES : 0);
    // One is what nearly all have.
    this.payload = last === undefined ? [slice] : [...this.payload, slice];
  }

  complete(reply: Reply): void {
    assert(!this.#answered, "a request was completed twice");
    this.#answered = true;
    this.releasePayload();
    this.#owner.answer(this, reply);
  }

  /** Lets go of the payload of a request that was answered, or will never be whole. */
  releasePayload(): void {
    for (const slice of this.payload) slice.slab.release();
    this.payload = NO_PAYLOAD;
  }
}
