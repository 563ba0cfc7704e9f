import assert from "node:assert";
import type { Disk, DiskHandle, DiskRequest, DiskUser, Piece } from "../../../src/disk.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { geometry } from "../support/held-disk.ts";

export const BLOCK_BYTES = 512;

/** One request that the disk was asked and has not answered. */
interface Asked {
  readonly request: DiskRequest;
  readonly handle: object;
  /** It has taken effect: what a READ saw, else nothing. */
  seen: number[] | undefined;
}

/** A disk whose blocks are version numbers and remember when they changed. It acts and answers when the test says so. */
export class VersionedDisk implements Disk {
  readonly geometry: Geometry;
  readonly asked: Asked[] = [];
  readBytes = 0;
  readonly #blocks: number;
  readonly #users = new Map<object, DiskUser>();
  readonly #history: { version: number; since: number }[][];
  readonly #pool = new SlabPool({ slabBytes: 128 * 1024, idleSlabs: 4, poison: true });
  #versions = 1;
  #moment = 0;

  constructor(blocks: number, fields: Partial<Geometry> = {}) {
    this.#blocks = blocks;
    this.geometry = geometry({ sizeBytes: blocks * BLOCK_BYTES, minimumBlockBytes: BLOCK_BYTES, ...fields });
    this.#history = Array.from({ length: blocks }, () => [{ version: 0, since: 0 }]);
  }

  /** The order of all events. */
  tick(): number {
    this.#moment += 1;
    return this.#moment;
  }

  attach(user: DiskUser): DiskHandle {
    const handle = {};
    this.#users.set(handle, user);
    return {
      submit: (request) => {
        this.#check(request);
        this.asked.push({ request, handle, seen: undefined });
      },
      close: () => {
        this.#users.delete(handle);
        const dropped = this.asked.filter((one) => one.handle === handle && one.seen === undefined);
        for (const one of dropped) this.answer(one, NBD_ERROR.ESHUTDOWN);
      },
    };
  }

  /** The request takes effect: from now on, its answer is what it is. */
  act(asked: Asked): void {
    if (asked.seen !== undefined) return;
    const { command, offset, length } = asked.request;
    const first = offset / BLOCK_BYTES;
    const last = (offset + length) / BLOCK_BYTES;
    if (command === COMMAND.READ) {
      asked.seen = this.#history.slice(first, last).map((versions) => versions.at(-1)?.version ?? -1);
      return;
    }
    asked.seen = [];
    this.#change(first, last);
  }

  /** Answers; without an error it takes effect now at the latest. */
  answer(asked: Asked, error = 0): void {
    if (error === 0) this.act(asked);
    this.tick();
    this.asked.splice(this.asked.indexOf(asked), 1);
    const { request, seen } = asked;
    const isRead = request.command === COMMAND.READ;
    if (error !== 0 || !isRead) {
      request.complete({ error, pieces: [], room: undefined });
      return;
    }
    this.readBytes += request.length;
    const slab = this.#pool.take();
    const pieces: Piece[] = [];
    // Headers, data and rubbish in turn, as several reads from a socket would leave them; version 0 is a hole.
    let at = 16;
    for (const [index, version] of (seen ?? []).entries()) {
      if (version === 0) {
        pieces.push({ kind: "hole", lengthBytes: BLOCK_BYTES });
        continue;
      }
      fill(slab.buffer, at, request.offset / BLOCK_BYTES + index, version);
      const last = pieces.at(-1);
      if (last?.kind === "data" && last.slice.end === at) last.slice.end += BLOCK_BYTES;
      else pieces.push({ kind: "data", slice: new Slice(slab, at, at + BLOCK_BYTES, index === 0 ? 16 : 0) });
      at += BLOCK_BYTES + (index % 6 === 5 ? 8 : 0);
    }
    request.complete({ error: 0, pieces, room: undefined });
    slab.release();
  }

  /** The world behind changes hands: every block is another one, and what was read before it and not answered is read again. */
  reset(): void {
    for (const one of this.asked) if (one.request.command === COMMAND.READ) one.seen = undefined;
    this.#change(0, this.#blocks);
    for (const user of [...this.#users.values()].toReversed()) user.onReset();
  }

  /** Whether the block had this version at some moment from `start` to `end`. */
  wasCurrent(block: number, version: number, start: number, end: number): boolean {
    const versions = this.#history[block] ?? [];
    const index = versions.findIndex((one) => one.version === version);
    const from = versions[index];
    return from !== undefined && from.since <= end && (versions[index + 1]?.since ?? Infinity) >= start;
  }

  #change(first: number, last: number): void {
    const since = this.tick();
    const version = this.#versions;
    this.#versions += 1;
    for (let block = first; block < last; block += 1) this.#history[block]?.push({ version, since });
  }

  #check({ command, offset, length }: DiskRequest): void {
    const { sizeBytes, maximumPayloadBytes } = this.geometry;
    assert(offset % BLOCK_BYTES === 0 && length % BLOCK_BYTES === 0, "not aligned");
    assert(offset + length <= sizeBytes, "past the end");
    assert(command !== COMMAND.READ || length <= maximumPayloadBytes, "longer than the maximum payload");
    assert(length > 0, "a request for nothing");
  }
}

/** The version of a block, or -1 when the bytes are not whole. */
export function versionOf(bytes: Buffer, block: number): number {
  const version = bytes.readUInt32LE(0);
  const stamp = version === 0 ? 0 : 0xb10c0000 + block;
  for (let word = 0; word < BLOCK_BYTES; word += 8) {
    if (bytes.readUInt32LE(word) !== version || bytes.readUInt32LE(word + 4) !== stamp) return -1;
  }
  return version;
}

function fill(buffer: Buffer, at: number, block: number, version: number): void {
  for (let word = at; word < at + BLOCK_BYTES; word += 8) {
    buffer.writeUInt32LE(version, word);
    buffer.writeUInt32LE(0xb10c0000 + block, word + 4);
  }
}
