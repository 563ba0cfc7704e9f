import { describe, expect, it } from "vitest";

import type { DiskHandle, DiskRequest, Reply } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { WriteCacheDisk } from "../../../src/disks/write-cache-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { type Answer, ask, attach, request, write } from "./ask.ts";

const MIB = 1024 * 1024;

function setUp(limitBytes?: number) {
  const below = new HeldDisk({ sizeBytes: 64 * MIB });
  const disk = new WriteCacheDisk(below, limitBytes);
  return { below, disk, handle: attach(disk) };
}

/** Submits a request; the answers are in the list as soon as they are there. */
function submit(handle: DiskHandle, fields: Parameters<typeof request>[0]): Answer[] {
  const answers: Answer[] = [];
  handle.submit(request(fields, (answer) => answers.push(answer)));
  return answers;
}

/** What the disk below is asked at the moment, in a few words. */
function asked(below: HeldDisk): string[] {
  const names = new Map<number, string>(Object.entries(COMMAND).map(([name, value]) => [value, name]));
  return below.held.map(({ command, offset, length }) => `${names.get(command)} ${offset}+${length}`);
}

/** Answers what the disk below is asked, until it is asked nothing more. */
async function answerAll(below: HeldDisk, error = 0): Promise<DiskRequest[]> {
  const answered: DiskRequest[] = [];
  while (below.held.length > 0) {
    answered.push(...below.held);
    below.answerAll(error);
    await settle();
  }
  return answered;
}

const FLUSH = { command: COMMAND.FLUSH };
const SUCCESS = [expect.objectContaining({ error: 0 })];

describe("WriteCacheDisk", () => {
  it("looks like the disk below, but tells of no contexts, since that one does not know what is in the cache", () => {
    const below = new HeldDisk({ contexts: ["base:allocation"], sizeBytes: 4711 });
    expect(new WriteCacheDisk(below).geometry).toEqual({ ...below.geometry, contexts: [] });
  });

  it("passes on what the disk below says of an error", () => {
    const { below, handle } = setUp();
    submit(handle, write(10, Buffer.from("ab")));
    const replies: Reply[] = [];
    handle.submit({ ...request({ offset: 8, length: 4 }, () => undefined), complete: (reply) => replies.push(reply) });
    const detail = { text: "a bad sector", offset: 9 };
    below.held[0]?.complete({ error: NBD_ERROR.EIO, pieces: [], room: undefined, detail });
    expect(replies).toMatchObject([{ error: NBD_ERROR.EIO, pieces: [], detail }]);
  });

  it("answers what is written at once, and READs see it, while the disk below hears nothing", () => {
    const { below, disk, handle } = setUp();
    expect(submit(handle, write(100, Buffer.from("0123456789"), 3, 0, 4))).toEqual(SUCCESS);
    expect(submit(handle, { command: COMMAND.WRITE_ZEROES, offset: 102, length: 2 })).toEqual(SUCCESS);
    expect(submit(handle, { command: COMMAND.TRIM, offset: 106, length: 2 })).toEqual(SUCCESS);
    const [read] = submit(attach(disk), { offset: 100, length: 10 });
    expect(read).toMatchObject({ error: 0, shape: "data 10", headroomBytes: 28 });
    expect(read?.data.toString()).toBe("01\0\x0045\0\x0089");
    expect(below.held).toEqual([]);
  });

  it("reads from below what it does not hold, with one request", () => {
    const { below, handle } = setUp();
    submit(handle, write(10, Buffer.from("ab")));
    submit(handle, write(14, Buffer.from("cd")));
    submit(handle, write(18, Buffer.from("ef")));
    const reads = submit(handle, { offset: 10, length: 10 });
    expect(asked(below)).toEqual(["READ 12+6"]);
    below.answerAll();
    const expected = Buffer.concat([Buffer.from("ab"), diskBytes(12, 2), Buffer.from("cd"), diskBytes(16, 2)]);
    expect(reads[0]?.data).toEqual(Buffer.concat([expected, Buffer.from("ef")]));
    const other = submit(handle, { offset: 20, length: 3 });
    expect(asked(below)).toEqual(["READ 20+3"]);
    below.answerAll();
    expect(other[0]?.data).toEqual(diskBytes(20, 3));
  });

  it("reads holes from below as zeros", async () => {
    const handle = attach(new WriteCacheDisk(new MemoryDisk({ sizeBytes: 1000 })));
    await ask(handle, write(10, Buffer.from("ab")));
    expect((await ask(handle, { offset: 8, length: 6 })).data.toString()).toBe("\0\0ab\0\0");
  });

  it("passes on the error of a READ that the disk below can't carry out", () => {
    const { below, handle } = setUp();
    submit(handle, write(10, Buffer.from("ab")));
    const reads = submit(handle, { offset: 0, length: 20 });
    below.answerAll(NBD_ERROR.EIO);
    expect(reads).toMatchObject([{ error: NBD_ERROR.EIO, shape: "" }]);
  });

  it("answers a READ with what it held when it was asked, though that has left meanwhile", async () => {
    const { below, handle } = setUp();
    submit(handle, write(10, Buffer.from("ab")));
    const reads = submit(handle, { offset: 8, length: 4 });
    const slowRead = below.held.splice(0);
    submit(handle, FLUSH);
    await answerAll(below);
    below.held.push(...slowRead);
    below.answerAll();
    expect(reads[0]?.data).toEqual(Buffer.concat([diskBytes(8, 2), Buffer.from("ab")]));
  });

  it("has nothing to say about other commands", () => {
    const { below, handle } = setUp();
    submit(handle, write(10, Buffer.from("ab")));
    const answers = submit(handle, { command: COMMAND.CACHE, offset: 0, length: 20 });
    expect(asked(below)).toEqual(["CACHE 0+20"]);
    below.answerAll(NBD_ERROR.EINVAL);
    expect(answers).toMatchObject([{ error: NBD_ERROR.EINVAL }]);
  });
});

describe("a FLUSH to a WriteCacheDisk", () => {
  it("is answered when everything is below, and the disk below has flushed", async () => {
    const { below, disk, handle } = setUp();
    submit(handle, write(100, Buffer.from("abc")));
    submit(handle, { command: COMMAND.TRIM, offset: 101, length: 1 });
    const flushed = submit(handle, FLUSH);
    expect(asked(below)).toEqual(["WRITE 100+1", "TRIM 101+1", "WRITE 102+1"]);
    expect(below.held[2]?.payload[0]?.bytes().toString()).toBe("c");
    below.answer(below.held[0]);
    below.answer(below.held[0]);
    await settle();
    expect(asked(below)).toEqual(["WRITE 102+1"]);
    below.answerAll();
    await settle();
    expect(asked(below)).toEqual(["FLUSH 0+0"]);
    expect(flushed).toEqual([]);
    expect(disk.heldBytes).toBeGreaterThan(0);
    below.answerAll();
    await settle();
    expect(flushed).toEqual(SUCCESS);
    expect(disk.heldBytes).toBe(0);
  });

  it("sends each command below as what it was, for as few runs as possible", async () => {
    const { below, handle } = setUp();
    const { NO_HOLE, FAST_ZERO } = COMMAND_FLAG;
    for (let offset = 0; offset < 3 * 4096; offset += 4096) submit(handle, write(offset, Buffer.alloc(4096, 1)));
    const zeroes = { command: COMMAND.WRITE_ZEROES, length: 100 };
    submit(handle, { ...zeroes, offset: 100_000, flags: FAST_ZERO });
    submit(handle, { ...zeroes, offset: 100_100, flags: NO_HOLE });
    submit(handle, { ...zeroes, offset: 100_200, flags: NO_HOLE });
    submit(handle, FLUSH);
    expect(asked(below)).toEqual(["WRITE 0+12288", "WRITE_ZEROES 100000+100", "WRITE_ZEROES 100100+200"]);
    expect(below.held.map(({ flags }) => flags)).toEqual([0, 0, NO_HOLE]);
    await answerAll(below);
  });

  it("sends much data in pieces, a few at once", async () => {
    const { below, handle } = setUp();
    submit(handle, write(0, Buffer.alloc(5 * MIB + 1, 1)));
    submit(handle, FLUSH);
    expect(asked(below)).toEqual([0, 1, 2, 3].map((piece) => `WRITE ${piece * MIB}+${MIB}`));
    below.answer(below.held[0]);
    await settle();
    expect(asked(below)).toContain(`WRITE ${4 * MIB}+${MIB}`);
    expect(below.held).toHaveLength(4);
    const rest = await answerAll(below);
    expect(rest.slice(-2).map(({ command, length }) => [command, length])).toEqual([
      [COMMAND.WRITE, 1],
      [COMMAND.FLUSH, 0],
    ]);
  });

  it("covers what was answered while another write-back was under way", async () => {
    const { below, handle } = setUp();
    submit(handle, write(0, Buffer.from("old")));
    const first = submit(handle, FLUSH);
    submit(handle, write(0, Buffer.from("new")));
    const second = submit(handle, FLUSH);
    const third = submit(handle, FLUSH);
    expect(submit(handle, { length: 3 })[0]?.data.toString()).toBe("new");
    expect(asked(below)).toEqual(["WRITE 0+3"]);
    below.answerAll();
    await settle();
    below.answerAll();
    await settle();
    expect([first, second]).toEqual([SUCCESS, []]);
    expect(below.held[0]?.payload[0]?.bytes().toString()).toBe("new");
    expect(await answerAll(below)).toHaveLength(2);
    expect([second, third]).toEqual([SUCCESS, SUCCESS]);
  });

  it.each(["WRITE", "FLUSH"] as const)(
    "fails when a %s below does, and the next one writes all again",
    async (which) => {
      const { below, handle } = setUp();
      submit(handle, write(0, Buffer.from("abcdef")));
      submit(handle, write(100, Buffer.from("xyz")));
      const first = submit(handle, FLUSH);
      submit(handle, write(2, Buffer.from("CD")));
      if (which === "FLUSH") {
        below.answerAll();
        await settle();
      }
      await answerAll(below, NBD_ERROR.ENOSPC);
      expect(first).toMatchObject([{ error: NBD_ERROR.ENOSPC }]);
      expect(submit(handle, { length: 6 })[0]?.data.toString()).toBe("abCDef");

      const second = submit(handle, FLUSH);
      expect(asked(below)).toEqual(["WRITE 0+6", "WRITE 100+3"]);
      expect(below.held[0]?.payload[0]?.bytes().toString()).toBe("abCDef");
      await answerAll(below);
      expect(second).toEqual(SUCCESS);
    },
  );

  it("starts nothing more after an error, and waits for what is under way", async () => {
    const { below, handle } = setUp();
    submit(handle, write(0, Buffer.alloc(6 * MIB, 1)));
    const flushed = submit(handle, FLUSH);
    below.answer(below.held[0], NBD_ERROR.EIO);
    await settle();
    expect(below.held).toHaveLength(3);
    expect(flushed).toEqual([]);
    below.answerAll();
    await settle();
    expect(below.held).toEqual([]);
    expect(flushed).toMatchObject([{ error: NBD_ERROR.EIO }]);
  });

  it("can be asked for without being a client", async () => {
    const { below, disk, handle } = setUp();
    submit(handle, write(0, Buffer.from("abc")));
    const failed = disk.flush();
    await answerAll(below, NBD_ERROR.EIO);
    expect(await failed).toBe(NBD_ERROR.EIO);
    const flushed = disk.flush();
    await answerAll(below);
    expect(await flushed).toBe(0);
  });
});

describe("FUA to a WriteCacheDisk", () => {
  it("makes its own range stable and nothing else", async () => {
    const { below, disk, handle } = setUp();
    submit(handle, write(0, Buffer.from("abcdef")));
    const answers = submit(handle, { ...write(2, Buffer.from("CD")), flags: COMMAND_FLAG.FUA });
    expect(asked(below)).toEqual(["WRITE 2+2"]);
    expect(submit(handle, { length: 6 })[0]?.data.toString()).toBe("abCDef");
    below.answerAll();
    await settle();
    expect(asked(below)).toEqual(["FLUSH 0+0"]);
    expect(answers).toEqual([]);
    below.answerAll();
    await settle();
    expect(answers).toEqual(SUCCESS);
    expect(disk.heldBytes).toBeGreaterThan(0);
    const flushed = disk.flush();
    expect(asked(below)).toEqual(["WRITE 0+2", "WRITE 4+2"]);
    await answerAll(below);
    await flushed;
  });

  it("waits with others for one write-back", async () => {
    const { below, handle } = setUp();
    const flags = COMMAND_FLAG.FUA;
    const zeroes = { command: COMMAND.WRITE_ZEROES, offset: 50, length: 5, flags };
    const first = submit(handle, { ...write(0, Buffer.from("a")), flags });
    const others = [submit(handle, { ...write(10, Buffer.from("b")), flags }), submit(handle, zeroes)];
    below.answerAll();
    await settle();
    below.answerAll();
    await settle();
    expect(first).toEqual(SUCCESS);
    expect(asked(below)).toEqual(["WRITE 10+1", "WRITE_ZEROES 50+5"]);
    expect(others).toEqual([[], []]);
    await answerAll(below);
    expect(others).toEqual([SUCCESS, SUCCESS]);
  });

  it("fails when the write-back does, and keeps the data", async () => {
    const { below, handle } = setUp();
    const answers = submit(handle, { ...write(0, Buffer.from("abc")), flags: COMMAND_FLAG.FUA });
    await answerAll(below, NBD_ERROR.EIO);
    expect(answers).toMatchObject([{ error: NBD_ERROR.EIO }]);
    expect(submit(handle, { length: 3 })[0]?.data.toString()).toBe("abc");
  });
});

describe("a WriteCacheDisk that is full", () => {
  const block = Buffer.alloc(MIB, 7);

  it("is emptied before the next write is answered, in order", async () => {
    const { below, disk, handle } = setUp(2 * MIB);
    for (let count = 0; count < 2; count += 1) expect(submit(handle, write(count * MIB, block))).toEqual(SUCCESS);
    const order: string[] = [];
    handle.submit(request(write(0, Buffer.from("first")), () => order.push("first")));
    handle.submit(request(write(0, Buffer.from("second")), () => order.push("second")));
    expect(order).toEqual([]);
    expect(below.held.map(({ command }) => command)).toEqual([COMMAND.WRITE, COMMAND.WRITE]);
    await answerAll(below);
    expect(order).toEqual(["first", "second"]);
    expect(submit(handle, { length: 6 })[0]?.data.toString()).toBe("second");
    expect(disk.heldBytes).toBeLessThan(MIB);
  });

  it("counts what is being written back", async () => {
    const { below, handle } = setUp(2 * MIB);
    for (let count = 0; count < 2; count += 1) submit(handle, write(count * MIB, block));
    const flushed = submit(handle, FLUSH);
    const waiting = submit(handle, write(0, block));
    below.answerAll();
    await settle();
    expect([flushed, waiting]).toEqual([[], []]);
    below.answerAll();
    await settle();
    expect([flushed, waiting]).toEqual([SUCCESS, SUCCESS]);
    expect(below.held).toEqual([]);
  });

  it("is emptied again when those that waited fill it again", async () => {
    const { below, handle } = setUp(MIB);
    const answers = Array.from({ length: 5 }, (_, count) => submit(handle, write(count * MIB, block)));
    const requests = await answerAll(below);
    expect(answers.every(([answer]) => answer?.error === 0)).toBe(true);
    expect(requests.filter(({ command }) => command === COMMAND.FLUSH)).toHaveLength(4);
  });

  it("refuses the writes that wait when it can't be emptied, and goes on when it can", async () => {
    const { below, handle } = setUp(MIB);
    submit(handle, write(0, block));
    const refused = submit(handle, write(MIB, block));
    await answerAll(below, NBD_ERROR.ENOSPC);
    expect(refused).toMatchObject([{ error: NBD_ERROR.ENOSPC }]);
    expect(submit(handle, { length: MIB })[0]?.data.equals(block)).toBe(true);
    const taken = submit(handle, write(MIB, block));
    await answerAll(below);
    expect(taken).toEqual(SUCCESS);
  });

  it("is full of many tiny runs as well", () => {
    const { below, handle } = setUp(MIB);
    let answered = 0;
    const zeroes = { command: COMMAND.WRITE_ZEROES, length: 1 };
    for (let offset = 0; offset < 2000; offset += 2) answered += submit(handle, { ...zeroes, offset }).length;
    expect(answered).toBeLessThan(300);
    expect(below.held.length).toBeGreaterThan(0);
  });
});

describe("a WriteCacheDisk whose user leaves", () => {
  it("drops the writes that wait for room, keeps what was answered, and serves others on", async () => {
    const { below, disk, handle: leaver } = setUp(MIB);
    const stayer = attach(disk);
    submit(leaver, write(0, Buffer.alloc(MIB, 1)));
    const waiting = [leaver, stayer, leaver].map((handle) => submit(handle, write(0, Buffer.from("waits"))));
    leaver.close();
    expect(waiting.map(([answer]) => answer?.error)).toEqual([NBD_ERROR.ESHUTDOWN, undefined, NBD_ERROR.ESHUTDOWN]);
    expect(submit(leaver, { length: 1 })).toMatchObject([{ error: NBD_ERROR.ESHUTDOWN }]);
    expect(below.closedHandles).toBe(1);
    await answerAll(below);
    expect(waiting[1]).toEqual(SUCCESS);
    expect(submit(stayer, { length: 5 })[0]?.data.toString()).toBe("waits");
  });
});
