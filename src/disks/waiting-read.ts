import type { DiskHandle, DiskRequest } from "../disk.ts";
import type { Slab } from "../transport/slab.ts";
import type { ReadAheadChunk } from "./read-ahead-chunk.ts";

/** A range of one chunk that answers a part of a read. */
export interface ReadPart {
  readonly chunk: ReadAheadChunk;
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Who asks: the way of this user's own requests to the disk below. */
export interface ReadAheadUser {
  readonly below: DiskHandle;
  /** The room that it needs for the header of a reply. */
  readonly headerBytes: number;
  closed: boolean;
}

/** A read that is answered from chunks, some of which are still on their way. */
export class WaitingRead {
  readonly request: DiskRequest;
  readonly user: ReadAheadUser;
  readonly parts: readonly ReadPart[];
  /** Chunks that are still on their way. */
  missing = 0;
  /** It was answered, or goes another way. */
  over = false;
  readonly #held: Slab[] = [];

  /** Holds the parts that are here. */
  constructor(request: DiskRequest, user: ReadAheadUser, parts: readonly ReadPart[]) {
    this.request = request;
    this.user = user;
    this.parts = parts;
    for (const { chunk } of parts) {
      if (chunk.slab === undefined) this.missing += 1;
      else this.#hold(chunk.slab);
    }
  }

  /** One more part is here. */
  arrived(slab: Slab): void {
    this.missing -= 1;
    this.#hold(slab);
  }

  /** Lets go of the parts. */
  end(): void {
    this.over = true;
    for (const slab of this.#held) slab.release();
    this.#held.length = 0;
  }

  #hold(slab: Slab): void {
    slab.retain();
    this.#held.push(slab);
  }
}
