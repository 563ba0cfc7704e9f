import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ask, attach, request, write } from "./ask.ts";

const PAGE = 65_536;
const TERABYTE = 2 ** 40;

describe("MemoryDisk", () => {
  it("offers everything that writes, and nothing of it when read-only", () => {
    const flags = TRANSMISSION_FLAG;
    expect(new MemoryDisk({ sizeBytes: 10 }).geometry).toEqual({
      sizeBytes: 10,
      flags:
        flags.HAS_FLAGS |
        flags.SEND_FLUSH |
        flags.SEND_FUA |
        flags.SEND_TRIM |
        flags.SEND_WRITE_ZEROES |
        flags.SEND_CACHE |
        flags.SEND_FAST_ZERO,
      minimumBlockBytes: 1,
      preferredBlockBytes: 4096,
      maximumPayloadBytes: 32 * 1024 * 1024,
      name: "",
      description: "",
      contexts: ["base:allocation"],
    });
    const readOnly = new MemoryDisk({ sizeBytes: 10, readOnly: true, name: "n", description: "d" }).geometry;
    expect(readOnly).toMatchObject({ flags: flags.HAS_FLAGS | flags.READ_ONLY, name: "n", description: "d" });
  });

  it("completes a request while it is submitted", () => {
    const answers: number[] = [];
    attach(new MemoryDisk({ sizeBytes: PAGE })).submit(
      request({ command: COMMAND.FLUSH }, ({ error }) => answers.push(error)),
    );
    expect(answers).toEqual([0]);
  });

  it("reads what was never written as one hole, and allocates nothing for it", async () => {
    const disk = new MemoryDisk({ sizeBytes: TERABYTE });
    const answer = await ask(attach(disk), { offset: TERABYTE - 3 * PAGE, length: 3 * PAGE });
    expect(answer).toMatchObject({ error: 0, shape: `hole ${3 * PAGE}` });
    expect(disk.allocatedBytes).toBe(0);
  });

  it("gives data between holes as pieces of its own, with room for a header before the first", async () => {
    const disk = new MemoryDisk({ sizeBytes: 4 * PAGE });
    const handle = attach(disk);
    await ask(handle, write(PAGE + 100, Buffer.from("here")));
    const whole = await ask(handle, { offset: 1000, length: 3 * PAGE });
    expect(whole.shape).toBe(`hole ${PAGE - 1000}, data ${PAGE}, hole ${PAGE + 1000}`);
    const written = await ask(handle, { offset: PAGE + 100, length: 4 });
    expect(written).toMatchObject({ shape: "data 4", headroomBytes: 28 });
    expect(written.data.toString()).toBe("here");
    expect(disk.allocatedBytes).toBe(PAGE);
  });

  it("gives every READ a copy that later writes do not change", () => {
    const handle = attach(new MemoryDisk({ sizeBytes: PAGE }));
    const ignore = (): void => undefined;
    handle.submit(request(write(0, Buffer.from("old")), ignore));
    let kept: Buffer | undefined;
    handle.submit({
      ...request({ length: 3 }, ignore),
      complete: ({ pieces: [piece] }) => {
        if (piece?.kind === "data") kept = piece.slice.bytes();
      },
    });
    handle.submit(request(write(0, Buffer.from("new")), ignore));
    expect(kept?.toString()).toBe("old");
  });

  it("gives whole pages back on TRIM and on WRITE_ZEROES, but not with NO_HOLE", async () => {
    const disk = new MemoryDisk({ sizeBytes: 4 * PAGE });
    const handle = attach(disk);
    const fill = (): Promise<unknown> => ask(handle, write(0, Buffer.alloc(4 * PAGE, 7)));
    await fill();
    await ask(handle, { command: COMMAND.TRIM, offset: 10, length: 2 * PAGE });
    expect(disk.allocatedBytes).toBe(3 * PAGE);
    await fill();
    const zeroes = { command: COMMAND.WRITE_ZEROES, offset: 0, length: 2 * PAGE };
    await ask(handle, { ...zeroes, flags: COMMAND_FLAG.NO_HOLE | COMMAND_FLAG.FAST_ZERO });
    expect(disk.allocatedBytes).toBe(4 * PAGE);
    expect((await ask(handle, { length: 2 * PAGE })).data.equals(Buffer.alloc(2 * PAGE))).toBe(true);
    await ask(handle, zeroes);
    expect(disk.allocatedBytes).toBe(2 * PAGE);
  });

  it("accepts FUA, FLUSH and CACHE, and refuses commands that it does not know", async () => {
    const handle = attach(new MemoryDisk({ sizeBytes: PAGE }));
    const errorOf = async (command: number): Promise<number> =>
      (await ask(handle, { command, flags: COMMAND_FLAG.FUA, length: 1 })).error;
    expect(await errorOf(COMMAND.FLUSH)).toBe(0);
    expect(await errorOf(COMMAND.CACHE)).toBe(0);
    expect(await errorOf(COMMAND.TRIM)).toBe(0);
    expect(await errorOf(99)).toBe(NBD_ERROR.EINVAL);
  });

  it("refuses what comes after the user left, and serves its other users", async () => {
    const disk = new MemoryDisk({ sizeBytes: PAGE });
    const leaver = attach(disk);
    const stayer = attach(disk);
    leaver.close();
    expect((await ask(leaver, write(0, Buffer.from("late")))).error).toBe(NBD_ERROR.ESHUTDOWN);
    expect(await ask(stayer, { length: 4 })).toMatchObject({ error: 0, shape: "hole 4" });
  });

  it("holds the same bytes as a plain buffer after any requests", () => {
    const sizeBytes = 3 * PAGE + 100;
    const ranges = fc.record({
      command: fc.constantFrom(COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM),
      offset: fc.nat(sizeBytes - 1),
      length: fc.nat(2 * PAGE),
      cut: fc.nat(2 * PAGE),
      byte: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 12 }), (operations) => {
        const handle = attach(new MemoryDisk({ sizeBytes }));
        const plain = Buffer.alloc(sizeBytes);
        for (const { command, offset, length: wanted, cut, byte } of operations) {
          const length = Math.min(wanted, sizeBytes - offset);
          const bytes = Buffer.alloc(length, command === COMMAND.WRITE ? byte : 0);
          bytes.copy(plain, offset);
          const fields = command === COMMAND.WRITE ? write(offset, bytes, Math.min(cut, length)) : {};
          handle.submit(request({ command, offset, length, ...fields }, ({ error }) => expect(error).toBe(0)));
        }
        let read: Buffer | undefined;
        handle.submit(request({ length: sizeBytes }, ({ data }) => (read = data)));
        expect(read?.equals(plain)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
