import type { Disk, DiskHandle, DiskRequest, DiskUser, Piece } from "../../../src/disk.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { geometry } from "../support/held-disk.ts";

/** One request that the disk was asked and has not answered; a READ that was carried out has its data. */
interface Held {
  readonly request: DiskRequest;
  data: Buffer | undefined;
  carriedOut: boolean;
}

/**
 * A disk as weak as it may be: it acts and answers when the test says so, a power loss takes what was not flushed, and
 * after a FLUSH that failed it has forgotten what it still had to make stable.
 */
export class WeakDisk implements Disk {
  readonly geometry: Geometry;
  readonly held: Held[] = [];
  /** What survives. */
  readonly stable: Buffer;
  readonly #volatile: Buffer;
  #unstable: { start: number; end: number }[] = [];

  constructor(sizeBytes: number) {
    this.geometry = geometry({ sizeBytes });
    this.stable = Buffer.alloc(sizeBytes);
    this.#volatile = Buffer.alloc(sizeBytes);
  }

  attach(_user: DiskUser): DiskHandle {
    return {
      submit: (request) => this.held.push({ request, data: undefined, carriedOut: false }),
      close: () => undefined,
    };
  }

  /** Carries a request out, and does not answer yet. A FLUSH is carried out when it is answered. */
  act(held: Held): void {
    if (held.carriedOut) return;
    held.carriedOut = true;
    const { command, offset, length, payload } = held.request;
    const end = offset + length;
    if (command === COMMAND.READ) held.data = Buffer.from(this.#volatile.subarray(offset, end));
    if (command === COMMAND.FLUSH || command === COMMAND.READ) return;
    const bytes = command === COMMAND.WRITE ? payload.map((slice) => slice.bytes()) : [Buffer.alloc(length)];
    Buffer.concat(bytes).copy(this.#volatile, offset);
    this.#unstable.push({ start: offset, end });
  }

  answer(held: Held): void {
    this.act(held);
    if (held.request.command === COMMAND.FLUSH) {
      for (const { start, end } of this.#unstable) this.#volatile.copy(this.stable, start, start, end);
      this.#unstable = [];
    }
    this.#complete(held, 0);
  }

  fail(held: Held): void {
    if (held.request.command === COMMAND.FLUSH) this.#unstable = [];
    this.#complete(held, NBD_ERROR.EIO);
  }

  /** What was asked is never answered, and what was not flushed is gone. */
  losePower(): void {
    this.held.length = 0;
    this.#unstable = [];
    this.stable.copy(this.#volatile);
  }

  #complete(held: Held, error: number): void {
    this.held.splice(this.held.indexOf(held), 1);
    const { data } = held;
    const pieces: Piece[] =
      error === 0 && data !== undefined ? [{ kind: "data", slice: new Slice(new Slab(data), 0, data.length, 0) }] : [];
    held.request.complete({ error, pieces, room: undefined });
  }
}
