import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { complete } from "./commands.ts";
import { readThrough } from "./read-through.ts";
import { writeBack } from "./write-back.ts";
import { type CachedRange, WriteCacheContents } from "./write-cache-contents.ts";

/**
 * A volatile write-back cache over a disk of our own. What is written is answered as soon as it is in memory, and READs
 * see it. FLUSH makes stable what was answered before, FUA what it came with, and nothing else does, unless the cache is
 * full: then it is emptied before the next write is answered. When a write-back fails, so do those who wait for it; the
 * data stays in the cache, and the next write-back writes it again. It offers no metadata contexts: the disk below can't tell
 * about what is still in the cache.
 */
export class WriteCacheDisk implements Disk {
  readonly geometry: Geometry;
  readonly #below: Disk;
  readonly #writer: DiskHandle;
  readonly #limitBytes: number;
  /** What was written and does not leave yet: newer than what leaves, which is newer than the disk below. */
  #kept = new WriteCacheContents();
  /** What is being written back; it does not change meanwhile. */
  #leaving = new WriteCacheContents();
  #busy = false;
  /** Who waits for the next write-back. There is one at a time, so that what is older never comes later. */
  #syncs: Sync[] = [];
  /** Writes that came when there was no room, in order. */
  #waiting: WaitingWrite[] = [];

  constructor(below: Disk, limitBytes: number = LIMITS.writeCacheBytes) {
    this.geometry = { ...below.geometry, contexts: [] };
    this.#below = below;
    this.#writer = below.attach({ onReset: () => undefined });
    this.#limitBytes = limitBytes;
  }

  /** The memory of all that is not known to be stable below. */
  get heldBytes(): number {
    return this.#kept.heldBytes + this.#leaving.heldBytes;
  }

  attach(diskUser: DiskUser): DiskHandle {
    const user = { below: this.#below.attach(diskUser), closed: false };
    return {
      submit: (request) => this.#submit(request, user),
      close: () => {
        user.closed = true;
        user.below.close();
        this.#dropWaiting(user);
      },
    };
  }

  /** Makes all that was answered stable; resolves to 0, or to the `NBD_ERROR` that is in the way. */
  flush(): Promise<number> {
    return new Promise((resolve) => this.#sync({ range: undefined, done: resolve }));
  }

  #submit(request: DiskRequest, user: User): void {
    if (user.closed) return complete(request, NBD_ERROR.ESHUTDOWN);
    switch (request.command) {
      case COMMAND.READ:
        return readThrough(request, [this.#kept, this.#leaving], user.below);
      case COMMAND.WRITE:
      case COMMAND.WRITE_ZEROES:
      case COMMAND.TRIM:
        return this.#write(request, user);
      case COMMAND.FLUSH:
        return this.#sync({ range: undefined, done: (error) => complete(request, error) });
      default:
        return user.below.submit(request);
    }
  }

  #write(request: DiskRequest, user: User): void {
    if (this.#waiting.length === 0 && this.#hasRoom) return this.#keep(request);
    this.#waiting.push({ request, user });
    // The end of a write-back that is under way may make room; it looks after those who wait.
    if (!this.#busy) this.#emptyAll();
  }

  get #hasRoom(): boolean {
    return this.heldBytes <= this.#limitBytes;
  }

  #keep(request: DiskRequest): void {
    this.#kept.put(request);
    if ((request.flags & COMMAND_FLAG.FUA) === 0) return complete(request, 0);
    const range = { start: request.offset, end: request.offset + request.length };
    this.#sync({ range, done: (error) => complete(request, error) });
  }

  #emptyAll(): void {
    this.#sync({ range: undefined, done: () => undefined });
  }

  #sync(sync: Sync): void {
    this.#syncs.push(sync);
    if (!this.#busy) void this.#writeBackUntilDone();
  }

  async #writeBackUntilDone(): Promise<void> {
    this.#busy = true;
    while (this.#syncs.length > 0) {
      const syncs = this.#syncs;
      this.#syncs = [];
      const error = await this.#writeBack(syncs.map(({ range }) => range));
      for (const { done } of syncs) done(error);
      if (error !== 0) this.#refuseWaiting(error);
      this.#admitWaiting();
    }
    this.#busy = false;
  }

  /** Resolves to 0 when the ranges are stable, `undefined` meaning everything; else to the error. */
  async #writeBack(ranges: readonly (CachedRange | undefined)[]): Promise<number> {
    const leaving = this.#takeOut(ranges);
    this.#leaving = leaving;
    const error = await writeBack(leaving, this.#writer);
    this.#leaving = new WriteCacheContents();
    if (error !== 0) {
      // Any part of it may be below by now, or not: all of it has to be written again.
      leaving.cover(this.#kept);
      this.#kept = leaving;
    }
    return error;
  }

  #takeOut(ranges: readonly (CachedRange | undefined)[]): WriteCacheContents {
    const taken = new WriteCacheContents();
    if (ranges.includes(undefined)) {
      const everything = this.#kept;
      this.#kept = taken;
      return everything;
    }
    for (const range of ranges) if (range !== undefined) this.#kept.moveTo(taken, range);
    return taken;
  }

  #admitWaiting(): void {
    while (this.#hasRoom) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#keep(next.request);
    }
    if (this.#waiting.length > 0) this.#emptyAll();
  }

  #refuseWaiting(error: number): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const { request } of refused) complete(request, error);
  }

  #dropWaiting(user: User): void {
    const dropped = this.#waiting.filter((write) => write.user === user);
    this.#waiting = this.#waiting.filter((write) => write.user !== user);
    for (const { request } of dropped) complete(request, NBD_ERROR.ESHUTDOWN);
  }
}

interface User {
  readonly below: DiskHandle;
  closed: boolean;
}

/** Waits for a write-back of its range; of everything when there is none. `done` is called with 0 or an `NBD_ERROR`. */
interface Sync {
  readonly range: CachedRange | undefined;
  readonly done: (error: number) => void;
}

interface WaitingWrite {
  readonly request: DiskRequest;
  readonly user: User;
}
