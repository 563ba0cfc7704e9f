import assert from "node:assert";
import fc from "fast-check";
import { expect, it } from "vitest";

import type { DiskRequest, Piece } from "../../../src/disk.ts";
import { SplittingDisk } from "../../../src/disks/splitting-disk.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { type Answer, attach, request, write } from "./ask.ts";

// Requests of any length, over a disk that takes little at a time, answers in any order and in any pieces, and uses the memory
// of its answers again at once: what is read is what a plain buffer holds.

const BLOCK = 16;
const BLOCKS = 64;
const SIZE = BLOCK * BLOCKS;

interface Step {
  readonly writes: boolean;
  readonly first: number;
  readonly blocks: number;
  readonly cuts: readonly number[];
  readonly fill: number;
}

/** Carries a part out on the contents, and says how it would be answered: in pieces of one block or two. */
function carryOut(part: DiskRequest, contents: Buffer, pool: SlabPool, maximumBytes: number, fails: boolean): void {
  const { command, offset, length } = part;
  assert(
    length > 0 && length <= maximumBytes && length % BLOCK === 0 && offset % BLOCK === 0 && offset + length <= SIZE,
  );
  if (fails) {
    part.complete({ error: NBD_ERROR.EIO, pieces: [], room: undefined, detail: { text: String(offset), offset } });
    return;
  }
  if (command === COMMAND.WRITE) {
    const bytes = Buffer.concat(part.payload.map((slice) => slice.bytes()));
    assert.equal(bytes.length, length);
    bytes.copy(contents, offset);
    part.complete({ error: 0, pieces: [], room: undefined });
    return;
  }
  const slab = pool.take();
  const pieces: Piece[] = [];
  for (let at = 0; at < length;) {
    const end = Math.min(length, at + BLOCK * (1 + (((offset + at) / BLOCK) % 2)));
    const bytes = contents.subarray(offset + at, offset + end);
    bytes.copy(slab.buffer, at);
    const isZero = bytes.every((byte) => byte === 0);
    pieces.push(
      isZero ? { kind: "hole", lengthBytes: end - at } : { kind: "data", slice: new Slice(slab, at, end, 0) },
    );
    at = end;
  }
  part.complete({ error: 0, pieces, room: undefined });
  slab.release();
}

const steps = fc.array(
  fc.record<Step>({
    writes: fc.boolean(),
    first: fc.nat(BLOCKS - 1),
    blocks: fc.integer({ min: 1, max: BLOCKS }),
    cuts: fc.array(fc.nat(200), { maxLength: 4 }),
    fill: fc.nat(255),
  }),
  { maxLength: 12 },
);

it("SplittingDisk carries every request out, whatever its length is", () => {
  let split = 0;
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: BLOCK, max: 12 * BLOCK }),
      fc.array(fc.nat(1000), { maxLength: 40 }),
      fc.array(fc.nat(30), { maxLength: 3 }),
      (made, maximumBytes, order, failing) => {
        const below = new HeldDisk({ sizeBytes: SIZE, minimumBlockBytes: BLOCK, maximumPayloadBytes: maximumBytes });
        const pool = new SlabPool({ slabBytes: SIZE, idleSlabs: 1, poison: true });
        const handle = attach(new SplittingDisk(below));
        const contents = Buffer.alloc(SIZE);
        let turn = 0;
        let carried = 0;
        for (const { writes, first, blocks, cuts, fill } of made) {
          const offset = first * BLOCK;
          const length = Math.min(blocks, BLOCKS - first) * BLOCK;
          const payload = Buffer.from(Uint8Array.from({ length }, (_, index) => (fill * index) & 0xff));
          const fields = writes
            ? write(offset, payload, ...cuts.filter((_, index) => index < length / 800))
            : { offset, length };
          const before = Buffer.from(contents);
          const answers: Answer[] = [];
          handle.submit(request(fields, (answer) => answers.push(answer)));
          if (below.held.length > 1) split += 1;
          let failed = false;
          while (below.held.length > 0) {
            assert.equal(answers.length, 0, "answered too early");
            turn += 1;
            const [part] = below.held.splice((order[turn % 40] ?? 0) % below.held.length, 1);
            assert(part !== undefined);
            carried += 1;
            const fails = failing.includes(carried);
            failed ||= fails;
            carryOut(part, contents, pool, maximumBytes, fails);
          }
          assert.equal(answers.length, 1, "answered once");
          const [answer] = answers;
          assert.equal(answer?.error, failed ? NBD_ERROR.EIO : 0);
          if (failed) continue;
          if (writes) payload.copy(before, offset);
          else assert(answer?.data.equals(before.subarray(offset, offset + length)), "other bytes were read");
          assert(contents.equals(before), "other bytes were written");
        }
        assert.equal(pool.heldBytes, 0, "slabs that nobody gave back");
      },
    ),
    { numRuns: 300 },
  );
  // Else the property would be true of a disk that splits nothing.
  expect(split).toBeGreaterThan(100);
});
