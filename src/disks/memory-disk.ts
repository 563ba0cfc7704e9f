import assert from "node:assert";

import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import { BASE_ALLOCATION, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { complete, dispatch } from "./commands.ts";
import type { Commands } from "./commands.ts";
import { MemoryPages } from "./memory-pages.ts";
import { servedGeometry } from "./served-geometry.ts";
import type { ServedOptions } from "./served-geometry.ts";

/**
 * A disk in memory that starts as one hole and allocates what is written, which `base:allocation` tells. Every request completes
 * during `submit`.
 */
export class MemoryDisk implements Disk {
  readonly geometry: Geometry;
  readonly #pages = new MemoryPages();
  readonly #commands: Commands = new MemoryCommands(this.#pages);

  constructor(options: ServedOptions & { readonly sizeBytes: number }) {
    const { SEND_CACHE, SEND_FAST_ZERO } = TRANSMISSION_FLAG;
    this.geometry = servedGeometry(options.sizeBytes, options, SEND_CACHE | SEND_FAST_ZERO, [BASE_ALLOCATION]);
  }

  /** Memory in use for contents, in whole pages. */
  get allocatedBytes(): number {
    return this.#pages.allocatedBytes;
  }

  attach(_user: DiskUser): DiskHandle {
    let closed = false;
    return {
      submit: (request) => {
        if (closed) complete(request, NBD_ERROR.ESHUTDOWN);
        else dispatch(request, this.#commands);
      },
      close: () => {
        closed = true;
      },
    };
  }
}

/** The commands on pages; FUA asks for nothing that is not so anyway. */
class MemoryCommands implements Commands {
  readonly #pages: MemoryPages;

  constructor(pages: MemoryPages) {
    this.#pages = pages;
  }

  read(request: DiskRequest): void {
    complete(request, 0, this.#pages.read(request.offset, request.length));
  }

  write(request: DiskRequest): void {
    let position = request.offset;
    for (const slice of request.payload) {
      this.#pages.write(position, slice.bytes());
      position += slice.length;
    }
    assert(position === request.offset + request.length, "the payload of a WRITE does not have its length");
    complete(request, 0);
  }

  writeZeroes(request: DiskRequest): void {
    const mayFree = (request.flags & COMMAND_FLAG.NO_HOLE) === 0;
    this.#pages.clear(request.offset, request.length, mayFree);
    complete(request, 0);
  }

  trim(request: DiskRequest): void {
    this.#pages.clear(request.offset, request.length, true);
    complete(request, 0);
  }

  flush(request: DiskRequest): void {
    complete(request, 0);
  }

  cache(request: DiskRequest): void {
    complete(request, 0);
  }

  blockStatus(request: DiskRequest): void {
    const most = (request.flags & COMMAND_FLAG.REQ_ONE) === 0 ? LIMITS.statusExtents : 1;
    const extents = this.#pages.allocation(request.offset, request.length, most);
    request.complete({ error: 0, pieces: [], room: undefined, statuses: [{ context: BASE_ALLOCATION, extents }] });
  }

  unknown(request: DiskRequest): void {
    complete(request, NBD_ERROR.EINVAL);
  }
}
