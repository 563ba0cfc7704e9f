import assert from "node:assert";
import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../disk.ts";
import type { Clock } from "../ports/clock.ts";
import { COMMAND, COMMAND_FLAG, DATA_CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { ReadAheadBounds } from "./read-ahead-plan.ts";
import { ReadAhead } from "./read-ahead.ts";
import { ReadCost } from "./read-cost.ts";
import type { ReadAheadUser } from "./waiting-read.ts";

/** How a ReadAheadDisk is made. */
export interface ReadAheadOptions {
  /** Memory for what is fetched ahead, in bytes; at least 1. */
  readonly cacheBytes: number;
  /** Tells how far away the disk below is. */
  readonly clock: Pick<Clock, "nowMs">;
}

/**
 * A disk that reads ahead of sequential readers.
 *
 * Every change of what lies below must pass through it: users of the disk below that write past it would leave it with old
 * data. Reads with flags other than DF, and reads longer than its memory, go straight down.
 */
export class ReadAheadDisk implements Disk {
  readonly #below: Disk;
  readonly #cacheBytes: number;
  readonly #clock: Pick<Clock, "nowMs">;
  #bounds: ReadAheadBounds;
  #readAhead: ReadAhead;
  /** The way down for what no user asked for, while there are users. */
  #own: DiskHandle | undefined;
  #users = 0;

  /** The disk below must be open: its geometry is asked for. */
  constructor(below: Disk, options: ReadAheadOptions) {
    const { cacheBytes, clock } = options;
    assert(cacheBytes > 0, "a cache without memory");
    this.#below = below;
    this.#cacheBytes = cacheBytes;
    this.#clock = clock;
    this.#bounds = boundsOf(below.geometry, cacheBytes);
    this.#readAhead = this.#within(this.#bounds);
  }

  get geometry(): Geometry {
    return this.#below.geometry;
  }

  /** Memory in use for data that was fetched ahead, or was asked for, in bytes. */
  get heldBytes(): number {
    return this.#readAhead.heldBytes;
  }

  attach(user: DiskUser): DiskHandle {
    if (this.#users === 0) this.#measure();
    this.#users += 1;
    this.#own ??= this.#below.attach({ onReset: () => this.#readAhead.reset() });
    // Everything is forgotten before a user hears of the reset, in whatever order the disk below tells its users.
    const onReset = (): void => {
      this.#readAhead.reset();
      user.onReset();
    };
    const headerBytes = user.replyHeaderBytes ?? DATA_CHUNK_HEADER_BYTES;
    const one: ReadAheadUser = { below: this.#below.attach({ ...user, onReset }), headerBytes, closed: false };
    return { submit: (request) => this.#submit(request, one), close: () => this.#close(one) };
  }

  /** While it had no user, the disk below may have become another one. */
  #measure(): void {
    const { endOffset, maximumPayloadBytes } = this.#bounds;
    const bounds = boundsOf(this.#below.geometry, this.#cacheBytes);
    if (bounds.endOffset === endOffset && bounds.maximumPayloadBytes === maximumPayloadBytes) return;
    this.#bounds = bounds;
    this.#readAhead = this.#within(bounds);
  }

  #within(bounds: ReadAheadBounds): ReadAhead {
    return new ReadAhead(bounds, new ReadCost(this.#clock), (request) => this.#own?.submit(request));
  }

  #submit(request: DiskRequest, user: ReadAheadUser): void {
    switch (request.command) {
      case COMMAND.READ:
        if (this.#isPlain(request) && !user.closed) this.#readAhead.read(request, user);
        else user.below.submit(request);
        return;
      case COMMAND.WRITE:
      case COMMAND.WRITE_ZEROES:
      case COMMAND.TRIM:
        user.below.submit(this.#readAhead.write(request));
        return;
      default:
        user.below.submit(request);
    }
  }

  #isPlain({ flags, length }: DiskRequest): boolean {
    // Who wants its data in one chunk joins the pieces itself.
    return (flags & ~COMMAND_FLAG.DF) === 0 && length > 0 && length <= this.#cacheBytes;
  }

  #close(user: ReadAheadUser): void {
    if (user.closed) return;
    user.closed = true;
    this.#readAhead.leave(user);
    user.below.close();
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#readAhead.reset();
    const own = this.#own;
    this.#own = undefined;
    own?.close();
  }
}

function boundsOf(
  { sizeBytes, minimumBlockBytes, maximumPayloadBytes }: Geometry,
  cacheBytes: number,
): ReadAheadBounds {
  return { cacheBytes, endOffset: sizeBytes - (sizeBytes % minimumBlockBytes), maximumPayloadBytes };
}
