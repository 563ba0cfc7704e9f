import assert from "node:assert";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DiskHandle, Piece, Reply } from "../../../src/disk.ts";
import { ReadAheadDisk } from "../../../src/disks/read-ahead-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Slab } from "../../../src/transport/slab.ts";
import { BLOCK_BYTES, VersionedDisk, versionOf } from "./versioned-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";

const BLOCKS = 256;
const USERS = 3;

/** What happens next; the numbers choose among what there is. */
type Step =
  | { readonly kind: "go on"; readonly reader: number; readonly blocks: number }
  | { readonly kind: "read" | "write"; readonly user: number; readonly block: number; readonly blocks: number }
  | { readonly kind: "act" | "answer" | "fail"; readonly which: number }
  | { readonly kind: "reset" }
  | { readonly kind: "leave"; readonly user: number }
  | { readonly kind: "send"; readonly count: number };

interface Reader {
  readonly user: number;
  block: number;
}

/** A reply whose data has not left: it must not change before that. */
interface Leaving {
  readonly pieces: readonly Piece[];
  readonly block: number;
  readonly start: number;
  readonly end: number;
  readonly mark: number;
  /** Where headers were written in place: these many bytes before these places. */
  readonly headers: readonly { readonly slab: Slab; readonly at: number; readonly lengthBytes: number }[];
}

/** What the users' replies need in front of data: the first one is a client of simple replies. */
const HEADER_BYTES = [16, 28, 28];

class World {
  readonly below = new VersionedDisk(BLOCKS, { maximumPayloadBytes: 64 * BLOCK_BYTES });
  readonly clock = new ManualClock();
  readonly disk: ReadAheadDisk;
  readonly cacheBytes: number;
  readonly handles: DiskHandle[];
  readonly readers: Reader[] = [0, 1, 2, 0].map((user, index) => ({ user, block: index * 60 }));
  readonly leaving: Leaving[] = [];
  submitted = 0;
  answered = 0;
  hits = 0;
  #marks = 0;

  constructor(cacheBytes: number) {
    this.cacheBytes = cacheBytes;
    this.disk = new ReadAheadDisk(this.below, { cacheBytes, clock: this.clock });
    this.handles = Array.from({ length: USERS }, (_, user) => this.attach(user));
  }

  attach(user: number): DiskHandle {
    return this.disk.attach({ onReset: () => undefined, replyHeaderBytes: HEADER_BYTES[user] ?? 28 });
  }

  submit(user: number, command: number, block: number, blocks: number): void {
    const length = Math.min(blocks, BLOCKS - block) * BLOCK_BYTES;
    const start = this.below.tick();
    const before = this.below.asked.length;
    let done = false;
    this.submitted += 1;
    this.handles[user]?.submit({
      command,
      flags: command === COMMAND.READ && block % 2 === 1 ? COMMAND_FLAG.DF : 0,
      offset: block * BLOCK_BYTES,
      length,
      payload: [],
      room: undefined,
      complete: (reply) => {
        assert(!done, "completed twice");
        done = true;
        this.answered += 1;
        if (command === COMMAND.READ) this.#receive(reply, user, block, length, start);
      },
    });
    if (done && this.below.asked.length === before) this.hits += 1;
  }

  step(step: Step): void {
    switch (step.kind) {
      case "go on": {
        const reader = this.readers[step.reader % this.readers.length];
        if (reader === undefined) return;
        this.submit(reader.user, COMMAND.READ, reader.block, step.blocks);
        reader.block = (reader.block + step.blocks) % BLOCKS;
        break;
      }
      case "read":
        this.submit(step.user, COMMAND.READ, step.block, step.blocks);
        break;
      case "write": {
        const command = [COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM][step.block % 3] ?? COMMAND.WRITE;
        this.submit(step.user, command, step.block, step.blocks);
        break;
      }
      case "reset":
        this.below.reset();
        break;
      case "leave":
        this.handles[step.user]?.close();
        this.handles[step.user] = this.attach(step.user);
        break;
      case "send":
        for (const one of this.leaving.splice(0, step.count)) this.#sent(one);
        break;
      default: {
        const { asked } = this.below;
        const one = asked[step.which % Math.max(1, asked.length)];
        if (one === undefined) return;
        // Sometimes it is far away, sometimes every byte takes long: how much is read ahead depends on it.
        this.clock.advance(step.which % 3 === 0 ? 20 : (one.request.length / BLOCK_BYTES) * (step.which % 3));
        if (step.kind === "act") this.below.act(one);
        else this.below.answer(one, step.kind === "fail" ? NBD_ERROR.EIO : 0);
      }
    }
    const { heldBytes } = this.disk;
    assert(heldBytes >= 0 && heldBytes <= this.cacheBytes, `${heldBytes} bytes are held`);
  }

  /** Everything is answered and has left; everybody goes. */
  end(): void {
    while (this.below.asked[0] !== undefined) this.below.answer(this.below.asked[0]);
    for (const handle of this.handles) handle.close();
    expect(this.answered).toBe(this.submitted);
    for (const one of this.leaving.splice(0)) this.#sent(one);
    expect(this.disk.heldBytes).toBe(0);
  }

  #receive(reply: Reply, user: number, block: number, length: number, start: number): void {
    if (reply.error !== 0) {
      assert(reply.error === NBD_ERROR.EIO || reply.error === NBD_ERROR.ESHUTDOWN);
      return;
    }
    this.#marks += 1;
    const mark = this.#marks & 0xff;
    const headers: Leaving["headers"][number][] = [];
    const lengthBytes = HEADER_BYTES[user] ?? 28;
    for (const [index, piece] of reply.pieces.entries()) {
      if (piece.kind === "hole") continue;
      const { slab, start: at, headroomBytes } = piece.slice;
      slab.retain();
      // A simple reply has one header, a structured one has one for each chunk.
      const begins = lengthBytes === 16 ? index === 0 : piece.continues !== true;
      if (!begins || headroomBytes < lengthBytes) continue;
      slab.buffer.fill(mark, at - lengthBytes, at);
      headers.push({ slab, at, lengthBytes });
    }
    const one = { pieces: reply.pieces, block, start, end: this.below.tick(), mark, headers };
    assert.equal(bytesOf(one.pieces).length, length);
    this.leaving.push(one);
    // A copy now and the slab later must be the same: the slab of the disk below is poisoned when it comes home.
    this.#check(one);
  }

  #sent(one: Leaving): void {
    this.#check(one);
    for (const piece of one.pieces) if (piece.kind === "data") piece.slice.slab.release();
  }

  #check({ pieces, block, start, end, mark, headers }: Leaving): void {
    for (const { slab, at, lengthBytes } of headers) {
      const header = slab.buffer.subarray(at - lengthBytes, at);
      assert(
        header.every((byte) => byte === mark),
        "the header was overwritten",
      );
    }
    const bytes = bytesOf(pieces);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const number = block + at / BLOCK_BYTES;
      const version = versionOf(bytes.subarray(at, at + BLOCK_BYTES), number);
      const current = this.below.wasCurrent(number, version, start, end);
      assert(current, `block ${number} was read as version ${version}, in ${start} to ${end}`);
    }
  }
}

function bytesOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map((one) => (one.kind === "data" ? one.slice.bytes() : Buffer.alloc(one.lengthBytes))));
}

const user = fc.nat(USERS - 1);
const which = fc.nat(20);
const block = fc.nat(BLOCKS - 1);

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("go on"), reader: fc.nat(3), blocks: fc.constantFrom(4, 4, 4, 1, 7) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("read"), user, block, blocks: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("write"), user, block, blocks: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("act"), which }) },
  { weight: 14, arbitrary: fc.record({ kind: fc.constant("answer"), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fail"), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), user }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send"), count: fc.nat(6) }) },
);

describe("ReadAheadDisk in any history", () => {
  it.each([2048, 4096, 16 * 1024, 64 * 1024, 1024 * 1024])(
    "with %i bytes gives every read what was there at some moment of it, and holds no more memory than it may",
    (cacheBytes) => {
      let hits = 0;
      fc.assert(
        fc.property(fc.array(STEP, { minLength: 50, maxLength: 250, size: "max" }), (steps) => {
          const world = new World(cacheBytes);
          for (const step of steps) world.step(step);
          world.end();
          hits += world.hits;
        }),
        { numRuns: 100 },
      );
      // Else the property would be true of a disk that keeps nothing.
      expect(hits).toBeGreaterThan(30);
    },
    60_000,
  );
});
