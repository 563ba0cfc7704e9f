import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Reply } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG } from "../../../src/protocol/constants.ts";
import { ask, attach, request, write } from "./ask.ts";

const PAGE = 65_536;
const ABSENT = 3;
const HERE = 0;

/** What the disk tells about a range, as pairs of length and flags. */
function allocation(disk: MemoryDisk, offset: number, length: number, flags = 0): (readonly [number, number])[] {
  const replies: Reply[] = [];
  const asked = request({ command: COMMAND.BLOCK_STATUS, offset, length, flags }, () => undefined);
  attach(disk).submit({ ...asked, complete: (one) => replies.push(one) });
  const [reply] = replies;
  expect(reply).toMatchObject({ error: 0, pieces: [] });
  expect(reply?.statuses?.map(({ context }) => context)).toEqual(["base:allocation"]);
  const extents = [...(reply?.statuses?.[0]?.extents ?? [])];
  return extents.flatMap((size, index) => (index % 2 === 0 ? [[size, extents[index + 1] ?? -1] as const] : []));
}

describe("MemoryDisk, about its allocation", () => {
  it("offers base:allocation, also when it is read-only", () => {
    expect(new MemoryDisk({ sizeBytes: 10 }).geometry.contexts).toEqual(["base:allocation"]);
    expect(new MemoryDisk({ sizeBytes: 10, readOnly: true }).geometry.contexts).toEqual(["base:allocation"]);
  });

  it("tells holes from pages, neighbours in one, from where it is asked to where", async () => {
    const disk = new MemoryDisk({ sizeBytes: 10 * PAGE + 100 });
    expect(allocation(disk, 0, 10 * PAGE + 100)).toEqual([[10 * PAGE + 100, ABSENT]]);
    await ask(attach(disk), write(2 * PAGE + 5, Buffer.alloc(PAGE, 1)));
    expect(allocation(disk, 0, 10 * PAGE)).toEqual([
      [2 * PAGE, ABSENT],
      [2 * PAGE, HERE],
      [6 * PAGE, ABSENT],
    ]);
    expect(allocation(disk, 2 * PAGE - 1, 3)).toEqual([
      [1, ABSENT],
      [2, HERE],
    ]);
    expect(allocation(disk, 2 * PAGE + 7, 1)).toEqual([[1, HERE]]);
  });

  it("tells of one run when it is asked for one", async () => {
    const disk = new MemoryDisk({ sizeBytes: 10 * PAGE });
    await ask(attach(disk), write(PAGE, Buffer.alloc(2 * PAGE, 1)));
    const { REQ_ONE } = COMMAND_FLAG;
    expect(allocation(disk, PAGE + 1, 9 * PAGE - 1, REQ_ONE)).toEqual([[2 * PAGE - 1, HERE]]);
    expect(allocation(disk, 0, 10, REQ_ONE | COMMAND_FLAG.FUA)).toEqual([[10, ABSENT]]);
  });

  it("tells of no more runs than there may be in one answer", async () => {
    const disk = new MemoryDisk({ sizeBytes: 3 * LIMITS.statusExtents * PAGE });
    const handle = attach(disk);
    for (let page = 0; page <= LIMITS.statusExtents; page += 1)
      await ask(handle, write(2 * page * PAGE, Buffer.from("x")));
    const told = allocation(disk, 0, 3 * LIMITS.statusExtents * PAGE);
    expect(told).toHaveLength(LIMITS.statusExtents);
    expect(told.every(([size, flags], index) => size === PAGE && flags === (index % 2 === 0 ? HERE : ABSENT))).toBe(
      true,
    );
  });

  it("says of no byte that it is zero when it is not", () => {
    const sizeBytes = 5 * PAGE + 100;
    const ranges = fc.record({
      command: fc.constantFrom(COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM),
      flags: fc.constantFrom(0, COMMAND_FLAG.NO_HOLE),
      offset: fc.nat(sizeBytes - 1),
      length: fc.nat(3 * PAGE),
    });
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 8 }), fc.nat(sizeBytes - 1), fc.nat(sizeBytes), (made, from, most) => {
        const disk = new MemoryDisk({ sizeBytes });
        const plain = Buffer.alloc(sizeBytes);
        for (const { command, flags, offset, length: wanted } of made) {
          const length = Math.min(wanted, sizeBytes - offset);
          const bytes = Buffer.alloc(length, command === COMMAND.WRITE ? 7 : 0);
          bytes.copy(plain, offset);
          const fields = command === COMMAND.WRITE ? write(offset, bytes) : { command, flags, offset, length };
          attach(disk).submit(request(fields, ({ error }) => expect(error).toBe(0)));
        }
        const length = Math.max(1, Math.min(most, sizeBytes - from));
        const told = allocation(disk, from, length);
        let position = from;
        for (const [index, [size, flags]] of told.entries()) {
          expect(size > 0 && flags !== told[index - 1]?.[1]).toBe(true);
          if (flags === ABSENT)
            expect(plain.subarray(position, position + size).every((byte) => byte === 0)).toBe(true);
          position += size;
        }
        expect(position).toBe(from + length);
        const allocated = allocation(disk, 0, sizeBytes).reduce(
          (sum, [size, flags]) => sum + (flags === HERE ? size : 0),
          0,
        );
        expect(Math.ceil(allocated / PAGE) * PAGE).toBe(disk.allocatedBytes);
      }),
      { numRuns: 100 },
    );
  });
});
