import type { DiskRequest, Piece, Reply } from "../disk.ts";
import { COMMAND, NBD_ERROR } from "../protocol/constants.ts";
import { piecesWithin } from "./pieces-within.ts";
import type { ReadAheadChunk } from "./read-ahead-chunk.ts";
import { alongBytes, fetchBytes, guesses, type ReadAheadBounds, streamReachBytes } from "./read-ahead-plan.ts";
import { ReadAheadStore } from "./read-ahead-store.ts";
import type { ReadCost } from "./read-cost.ts";
import type { SequentialStream } from "./sequential-stream.ts";
import { StreamDetector } from "./stream-detector.ts";
import { type ReadAheadUser, type ReadPart, WaitingRead } from "./waiting-read.ts";
import { WritesInFlight } from "./writes-in-flight.ts";

/** Reads in a row that go on with nothing, from where on nobody is read ahead of, and what reads cost is of no interest. */
const STRAY_READS = 64;

/**
 * Answers reads from what was fetched ahead, and fetches ahead.
 *
 * What a read is given was true at some moment between its submission and its answer: a write hides what it overlaps from
 * every later read as soon as it is submitted, here or on its way, and what is asked for while a write is unanswered is
 * hidden where the two overlap. Reads that waited before the write came are concurrent with it and may have either.
 */
export class ReadAhead {
  readonly #bounds: ReadAheadBounds;
  readonly #cost: ReadCost;
  readonly #prefetch: (request: DiskRequest) => void;
  readonly #store = new ReadAheadStore();
  readonly #writes = new WritesInFlight();
  readonly #detector = new StreamDetector((stream) => this.#store.dropStream(stream));

  /** Reads since the last one that went on with a stream. */
  #strayReads = 0;

  /** `cost` is of the disk below. `prefetch` submits a request to it that belongs to no user. */
  constructor(bounds: ReadAheadBounds, cost: ReadCost, prefetch: (request: DiskRequest) => void) {
    this.#bounds = bounds;
    this.#cost = cost;
    this.#prefetch = prefetch;
  }

  /** Memory in use for data that was fetched ahead, or was asked for, in bytes; never more than `cacheBytes`. */
  get heldBytes(): number {
    return this.#store.heldBytes;
  }

  /** Takes a READ without flags that matter here, of at least one byte and at most `cacheBytes`. */
  read(request: DiskRequest, user: ReadAheadUser): void {
    const { offset, length } = request;
    const stream = this.#detector.observe(offset, length);
    this.#strayReads = stream === undefined ? this.#strayReads + 1 : 0;
    const parts = this.#store.find(offset, offset + length);
    if (parts !== undefined) this.#serve(request, user, parts, stream);
    else if (stream !== undefined) this.#readAlong(request, user, stream);
    else this.#readUnknown(request, user);
    if (stream !== undefined && !user.closed) this.#fetchAhead(stream, user);
  }

  /** Takes a request that changes the disk; returns what to submit below in its place. */
  write(request: DiskRequest): DiskRequest {
    this.#store.drop(request.offset, request.offset + request.length);
    return this.#writes.add(request);
  }

  /** Forgets all data: nothing of it is given to any read, not even to one that is waiting for it. */
  reset(): void {
    const waiting = this.#store.waiting();
    this.#cost.forget();
    this.#store.dropAll();
    for (const stream of this.#detector.streams) stream.refetch();
    for (const read of waiting) this.#readAlone(read);
  }

  /** Answers what the user still waits for here. */
  leave(user: ReadAheadUser): void {
    for (const read of this.#store.waiting()) {
      if (read.user !== user || read.over) continue;
      read.end();
      read.request.complete({ error: NBD_ERROR.ESHUTDOWN, pieces: [], room: undefined });
    }
  }

  #serve(
    request: DiskRequest,
    user: ReadAheadUser,
    parts: readonly ReadPart[],
    stream: SequentialStream | undefined,
  ): void {
    const read = new WaitingRead(request, user, parts);
    this.#store.take(parts);
    if (stream !== undefined) stream.skipTo(this.#store.takenUntil(stream.nextOffset));
    if (read.missing === 0) {
      answer(read);
      return;
    }
    for (const { chunk } of parts) if (chunk.slab === undefined) chunk.waiting.push(read);
    stream?.waited();
  }

  #readUnknown(request: DiskRequest, user: ReadAheadUser): void {
    const { offset, length } = request;
    const guess = guesses(this.#bounds) ? this.#detector.guess(offset, length) : undefined;
    if (guess === undefined) this.#detector.remember(offset + length);
    if (guess === undefined) this.#readAsIs(request, user);
    else this.#readAlong(request, user, guess);
  }

  /** Reads from below, and nothing else with it. */
  #readAsIs(request: DiskRequest, user: ReadAheadUser): void {
    if (this.#strayReads > STRAY_READS) {
      user.below.submit(request);
      return;
    }
    const { command, flags, offset, length, payload, room } = request;
    const sent = this.#cost.send();
    const complete = (reply: Reply): void => {
      if (reply.error === 0) this.#cost.arrived(sent, length);
      request.complete(reply);
    };
    user.below.submit({ command, flags, offset, length, payload, room, complete });
  }

  /** Reads from below, and what follows with it where that is worth it. */
  #readAlong(request: DiskRequest, user: ReadAheadUser, stream: SequentialStream): void {
    const extraBytes = alongBytes(stream, this.#reachBytes, this.#bounds);
    const chunk = this.#reserve(stream, extraBytes, user);
    if (chunk === undefined) {
      this.#readAsIs(request, user);
      return;
    }
    const sent = this.#cost.send();
    user.below.submit({
      command: COMMAND.READ,
      flags: 0,
      offset: request.offset,
      length: request.length + extraBytes,
      payload: request.payload,
      room: request.room,
      complete: (reply) => {
        if (reply.error === 0) this.#cost.arrived(sent, request.length + extraBytes);
        this.#answered(request, user, chunk, reply);
      },
    });
  }

  #answered(request: DiskRequest, user: ReadAheadUser, chunk: ReadAheadChunk, reply: Reply): void {
    if (reply.error === 0) {
      request.complete({ error: 0, pieces: piecesWithin(reply.pieces, request.length), room: reply.room });
      this.#arrived(chunk, reply.pieces, request.length);
    } else if (user.closed) {
      request.complete(reply);
      this.#failed(chunk);
    } else {
      chunk.stream.distrust(chunk.endOffset);
      user.below.submit(again(request));
      this.#failed(chunk);
    }
  }

  #fetchAhead(stream: SequentialStream, user: ReadAheadUser): void {
    while (!stream.forgotten) {
      const shareBytes = Math.floor(this.#bounds.cacheBytes / this.#detector.alive);
      const offset = stream.aheadOffset;
      const chunk = this.#reserve(stream, fetchBytes(stream, shareBytes, this.#reachBytes, this.#bounds), user);
      if (chunk === undefined) return;
      const sent = this.#cost.send();
      this.#prefetch({
        command: COMMAND.READ,
        flags: 0,
        offset,
        length: chunk.lengthBytes,
        payload: [],
        room: undefined,
        complete: ({ error, pieces }) => {
          if (error === 0) {
            this.#cost.arrived(sent, chunk.lengthBytes);
            this.#arrived(chunk, pieces, 0);
            return;
          }
          stream.distrust(chunk.endOffset);
          this.#failed(chunk);
        },
      });
    }
  }

  /** How far ahead a stream may fetch. */
  get #reachBytes(): number {
    return streamReachBytes(this.#cost.distanceBytes, this.#detector.alive, this.#bounds);
  }

  /**
   * A place for what follows the furthest that was asked for, as this user would like to get it; undefined for nothing, and when
   * there is no memory for it.
   */
  #reserve(stream: SequentialStream, lengthBytes: number, { headerBytes }: ReadAheadUser): ReadAheadChunk | undefined {
    if (lengthBytes === 0) return undefined;
    while (this.#store.heldBytes + lengthBytes > this.#bounds.cacheBytes) if (!this.#makeRoom(stream)) return undefined;
    const chunk = this.#store.add(stream, stream.aheadOffset, lengthBytes, headerBytes);
    stream.aheadOffset = chunk.endOffset;
    this.#writes.forEach((startOffset, endOffset) => chunk.drop(startOffset, endOffset));
    if (chunk.wanted) return chunk;
    this.#store.cancel(chunk);
    return undefined;
  }

  /** Whether some memory could be freed: of what the stream left behind, else of a stream that needs it less. */
  #makeRoom(stream: SequentialStream): boolean {
    const heldBytes = this.#store.heldBytes;
    this.#store.free(stream, stream.nextOffset - stream.lengthBytes);
    if (this.#store.heldBytes < heldBytes) return true;
    const victim = this.#detector.victim(stream);
    if (victim === undefined) return false;
    this.#store.free(victim, Infinity);
    victim.restart();
    return this.#store.heldBytes < heldBytes;
  }

  #arrived(chunk: ReadAheadChunk, pieces: readonly Piece[], skipBytes: number): void {
    this.#store.arrived(chunk, pieces, skipBytes);
    const { slab } = chunk;
    if (slab === undefined) return;
    const waiting = chunk.waiting.splice(0).filter((read) => !read.over);
    for (const read of waiting) read.arrived(slab);
    this.#store.letGoUnwanted(chunk);
    for (const read of waiting) if (read.missing === 0 && !read.over) answer(read);
  }

  /** What was asked for in vain costs nobody anything: those who wait for it read what they need alone. */
  #failed(chunk: ReadAheadChunk): void {
    this.#store.cancel(chunk);
    for (const read of chunk.waiting.splice(0)) this.#readAlone(read);
  }

  #readAlone(read: WaitingRead): void {
    if (read.over) return;
    read.end();
    read.user.below.submit(again(read.request));
  }
}

/** Answers a read whose parts are all here. */
function answer(read: WaitingRead): void {
  const pieces: Piece[] = [];
  for (const { chunk, startOffset, endOffset } of read.parts) chunk.appendPieces(startOffset, endOffset, pieces);
  read.request.complete({ error: 0, pieces, room: undefined });
  read.end();
}

/** The same request at a later time, when its room for a header is no longer its own. */
function again(request: DiskRequest): DiskRequest {
  const { command, flags, offset, length, payload } = request;
  return { command, flags, offset, length, payload, room: undefined, complete: (reply) => request.complete(reply) };
}
