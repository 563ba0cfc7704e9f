import { describe, expect, it } from "vitest";
import type { DiskHandle, DiskRequest, Piece, Reply } from "../../../src/disk.ts";
import { ReadAheadDisk } from "../../../src/disks/read-ahead-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type Answer, attach, request, write } from "./ask.ts";

const K = 1024;

/** A ReadAheadDisk over a disk that answers when told to, with a user that notes the answers. */
class Stand {
  readonly below: HeldDisk;
  readonly disk: ReadAheadDisk;
  readonly handle: DiskHandle;
  readonly answers: (Answer | undefined)[] = [];
  resets = 0;

  constructor(cacheBytes: number, fields: Partial<Geometry> = {}) {
    this.below = new HeldDisk(fields);
    this.disk = new ReadAheadDisk(this.below, { cacheBytes, clock: new ManualClock() });
    this.handle = this.disk.attach({ onReset: () => (this.resets += 1) });
  }

  /** What waits below, as "offset+length" in KiB. */
  get asked(): string[] {
    return this.below.held.map(({ offset, length }) => `${offset / K}+${length / K}`);
  }

  /** Submits and returns the place of the answer. */
  submit(fields: Partial<Omit<DiskRequest, "complete">>, handle = this.handle): number {
    const place = this.answers.push(undefined) - 1;
    handle.submit(
      request(fields, (answer) => {
        if (this.answers[place] !== undefined) throw new Error("completed twice");
        this.answers[place] = answer;
      }),
    );
    return place;
  }

  read(offsetK: number, lengthK = 4, handle = this.handle): number {
    return this.submit({ command: COMMAND.READ, offset: offsetK * K, length: lengthK * K }, handle);
  }

  /** A read that was answered by the time everything below is. */
  readWhole(offsetK: number, lengthK = 4): Answer | undefined {
    const place = this.read(offsetK, lengthK);
    this.below.answerAll();
    return this.answers[place];
  }

  expectData(place: number, offsetK: number, lengthK = 4): void {
    expect(this.answers[place]?.error).toBe(0);
    expect(this.answers[place]?.data).toEqual(diskBytes(offsetK * K, lengthK * K));
  }
}

describe("ReadAheadDisk with little memory", () => {
  it("doubles a read and answers the next one without the disk below", () => {
    const stand = new Stand(4096);
    const first = stand.read(8);
    expect(stand.asked).toEqual(["8+8"]);
    stand.below.answerAll();
    stand.expectData(first, 8);
    const second = stand.read(12);
    expect(stand.asked).toEqual([]);
    stand.expectData(second, 12);
    stand.read(16);
    expect(stand.asked).toEqual(["16+8"]);
  });

  it("leaves room for a reply header before every answer", () => {
    const stand = new Stand(4096);
    const first = stand.read(0);
    stand.below.answerAll();
    const second = stand.read(4);
    expect(stand.answers[first]).toMatchObject({ headroomBytes: 16, shape: "data 4096" });
    expect(stand.answers[second]).toMatchObject({ headroomBytes: 28, shape: "data 4096" });
  });

  it.each([
    ["reads longer than its memory", { length: 8 * K }],
    ["reads with FUA", { length: 4 * K, flags: COMMAND_FLAG.FUA }],
    ["reads with FUA and DF", { length: 4 * K, flags: COMMAND_FLAG.FUA | COMMAND_FLAG.DF }],
    ["reads of nothing", { length: 0 }],
  ])("passes %s on as they are", (_, fields) => {
    const stand = new Stand(4096);
    stand.submit({ command: COMMAND.READ, offset: 4 * K, ...fields });
    expect(stand.below.held).toMatchObject([{ offset: 4 * K, flags: 0, ...fields }]);
  });

  it("does not answer a read with FUA from memory", () => {
    const stand = new Stand(4096);
    stand.readWhole(0);
    stand.submit({ command: COMMAND.READ, offset: 4 * K, length: 4 * K, flags: COMMAND_FLAG.FUA });
    expect(stand.asked).toEqual(["4+4"]);
  });

  it("fetches nothing past the end, and the rest when less than a read is left", () => {
    const stand = new Stand(4096, { sizeBytes: 10 * K });
    stand.read(2);
    stand.read(6);
    expect(stand.asked).toEqual(["2+8"]);
    const short = new Stand(4096, { sizeBytes: 10 * K });
    short.readWhole(4);
    short.expectData(short.read(8, 2), 8, 2);
    const last = new Stand(4096, { sizeBytes: 10 * K });
    last.read(6);
    expect(last.asked).toEqual(["6+4"]);
  });

  it("asks for no part of a block at the end of a disk that is no whole number of them", () => {
    const stand = new Stand(4096, { sizeBytes: 10 * K - 100, minimumBlockBytes: 512 });
    stand.read(5);
    expect(stand.below.held[0]).toMatchObject({ offset: 5 * K, length: 4.5 * K });
  });

  it("asks for no more than the maximum payload", () => {
    const stand = new Stand(4096, { maximumPayloadBytes: 6 * K });
    stand.read(0);
    expect(stand.asked).toEqual(["0+4"]);
  });

  it("stops doubling when that was in vain, and begins again with a reader that goes on", () => {
    const stand = new Stand(4096);
    for (let at = 0; at < 20; at += 1) stand.readWhole(at * 16);
    stand.read(500);
    expect(stand.asked).toEqual(["500+4"]);
    stand.below.answerAll();
    stand.read(504);
    expect(stand.asked).toEqual(["504+8"]);
  });
});

describe("ReadAheadDisk with much memory", () => {
  it("leaves a read alone until a second one follows it", () => {
    const stand = new Stand(1024 * K);
    stand.readWhole(100);
    stand.read(200);
    expect(stand.asked).toEqual(["200+4"]);
    stand.below.answerAll();
    stand.read(204);
    expect(stand.asked).toEqual(["204+8"]);
  });

  it("asks for more the longer the reader goes on, and never for more than it has read", () => {
    const stand = new Stand(1024 * K);
    let askedUntil = 0;
    const requests: number[] = [];
    for (let at = 0; at < 128; at += 4) {
      const place = stand.read(at);
      for (const { offset, length } of stand.below.held) {
        askedUntil = Math.max(askedUntil, (offset + length) / K);
        requests.push(length / K);
      }
      expect(askedUntil).toBeLessThanOrEqual(2 * (at + 4));
      stand.below.answerAll();
      stand.expectData(place, at);
    }
    expect(requests.length).toBeLessThan(20);
    expect(requests.at(-1)).toBeGreaterThanOrEqual(32);
    expect(stand.disk.heldBytes).toBeGreaterThan(64 * K);
  });

  it("lets a read wait for what is on its way, and answers one that needs several fetches when all are here", () => {
    const stand = new Stand(1024 * K);
    stand.readWhole(0);
    stand.readWhole(4);
    const [next, ahead] = [stand.read(8), stand.below.held[0]];
    stand.expectData(next, 8);
    expect(ahead).toMatchObject({ offset: 12 * K, length: 8 * K });
    const across = [stand.read(12), stand.read(16, 8)];
    expect(stand.answers[across[0] ?? -1]).toBeUndefined();
    stand.below.answer(stand.below.held.find((one) => one.offset === 20 * K));
    expect(stand.answers[across[1] ?? -1]).toBeUndefined();
    stand.below.answer(ahead);
    stand.expectData(across[0] ?? -1, 12);
    stand.expectData(across[1] ?? -1, 16, 8);
  });

  it("answers reads of other lengths and places from what it has", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    stand.below.answerAll();
    const places = [stand.read(65, 2), stand.read(70, 11), stand.read(81, 1)];
    expect(stand.asked).toEqual([]);
    stand.expectData(places[0] ?? -1, 65, 2);
    stand.expectData(places[1] ?? -1, 70, 11);
    stand.expectData(places[2] ?? -1, 81, 1);
  });

  it("lends the room before its data only once", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    stand.below.answerAll();
    const places = [stand.read(68), stand.read(68)];
    expect(places.map((place) => stand.answers[place]?.headroomBytes)).toEqual([28, 0]);
  });

  it("follows a reader whose requests overtake one another", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    let passed = 0;
    for (let at = 64; at < 512; at += 8) {
      for (const place of [stand.read(at + 4), stand.read(at)]) {
        if (stand.answers[place] === undefined) passed += 1;
        stand.below.answerAll();
      }
    }
    expect(passed).toBeLessThan(4);
  });

  it("keeps holes as holes", () => {
    const below = new HeldDisk();
    const disk = new ReadAheadDisk(below, { cacheBytes: 4096, clock: new ManualClock() });
    const handle = attach(disk);
    const answers: Answer[] = [];
    handle.submit(request({ length: 2048 }, (answer) => answers.push(answer)));
    below.held[0]?.complete(holes(1000, 3096));
    handle.submit(request({ offset: 2048, length: 2048 }, (answer) => answers.push(answer)));
    expect(answers.map(({ shape }) => shape)).toEqual(["hole 1000, hole 1048", "hole 2048"]);
  });
});

describe("ReadAheadDisk and writes", () => {
  it.each([
    ["WRITE", write(5 * K, Buffer.alloc(100))],
    ["WRITE_ZEROES", { command: COMMAND.WRITE_ZEROES, offset: 5 * K, length: 100 }],
    ["TRIM", { command: COMMAND.TRIM, offset: 7 * K, length: 100 * K }],
  ])("drops what a %s overlaps as soon as it is submitted, whoever wrote", (_, fields) => {
    const stand = new Stand(4096);
    stand.readWhole(0);
    stand.submit(fields, attach(stand.disk));
    const place = stand.read(4);
    expect(stand.answers[place]).toBeUndefined();
    expect(stand.below.held.at(-1)).toMatchObject({ command: COMMAND.READ, offset: 4 * K });
  });

  it("keeps what a write does not overlap, down to the length of a read", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    stand.below.answerAll();
    stand.submit(write(72 * K, Buffer.alloc(4 * K)));
    stand.below.answerAll();
    stand.expectData(stand.read(68), 68);
    stand.expectData(stand.read(76), 76);
    stand.read(72);
    expect(stand.asked).toEqual(["72+4"]);
  });

  it("does not keep what was on its way when a write to it came, but gives it to those who waited before", () => {
    const stand = new Stand(4096);
    stand.read(0);
    const before = stand.read(4);
    stand.submit(write(4 * K, Buffer.alloc(4 * K)));
    const after = stand.read(4);
    expect(stand.asked).toEqual(["0+8", "4+4", "4+4"]);
    stand.below.answer(stand.below.held[0]);
    stand.expectData(before, 4);
    expect(stand.answers[after]).toBeUndefined();
    stand.below.answer(stand.below.held[0]);
    expect(stand.answers[stand.read(4)]).toBeUndefined();
  });

  it("does not keep what was asked for while a write to it was unanswered", () => {
    const stand = new Stand(4096);
    const written = stand.submit(write(6 * K, Buffer.alloc(2 * K)));
    stand.readWhole(2, 2);
    expect(stand.answers[written]?.error).toBe(0);
    stand.submit(write(6 * K, Buffer.alloc(2 * K)));
    stand.read(0);
    expect(stand.asked).toEqual(["6+2", "0+4"]);
    stand.below.answerAll();
    stand.read(4);
    expect(stand.asked[0]).toMatch(/^4\+/);
  });

  it("passes every other command on as it is, and the answer back", () => {
    const stand = new Stand(4096);
    const places = [COMMAND.FLUSH, COMMAND.CACHE, COMMAND.BLOCK_STATUS].map((command) => stand.submit({ command }));
    expect(stand.below.held.map(({ command }) => command)).toEqual([
      COMMAND.FLUSH,
      COMMAND.CACHE,
      COMMAND.BLOCK_STATUS,
    ]);
    const failed = stand.submit({ ...write(0, Buffer.alloc(512)), flags: COMMAND_FLAG.FUA });
    expect(stand.below.held.at(-1)).toMatchObject({ flags: COMMAND_FLAG.FUA, length: 512, offset: 0 });
    stand.below.answerAll(NBD_ERROR.ENOSPC);
    expect([...places, failed].map((place) => stand.answers[place]?.error)).toEqual([28, 28, 28, 28]);
  });
});

describe("ReadAheadDisk when something fails", () => {
  it("reads the client's own range again, alone, when a doubled read fails", () => {
    const stand = new Stand(4096);
    const place = stand.read(0);
    stand.below.answer(stand.below.held[0], NBD_ERROR.EIO);
    expect(stand.asked).toEqual(["0+4"]);
    stand.below.answerAll();
    stand.expectData(place, 0);
    expect(stand.disk.heldBytes).toBe(0);
  });

  it("hands on the error of the client's own range", () => {
    const stand = new Stand(4096);
    const place = stand.read(0);
    stand.below.answer(stand.below.held[0], NBD_ERROR.EIO);
    stand.below.answer(stand.below.held[0], NBD_ERROR.EPERM);
    expect(stand.answers[place]?.error).toBe(NBD_ERROR.EPERM);
  });

  it("lets those who waited for a failed fetch read alone, and fetches nothing more from there", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    const { waiting, at } = readUntilWaiting(stand);
    const fetch = stand.below.held.find(({ offset }) => offset === at * K);
    const length = (fetch?.length ?? 0) / K;
    expect(length).toBeGreaterThan(8);
    stand.below.answer(fetch, NBD_ERROR.EIO);
    expect(stand.asked.at(-1)).toBe(`${at}+4`);
    stand.below.answerAll();
    stand.expectData(waiting, at);
    for (let next = at + 4; next < at + length; next += 4) {
      const place = stand.read(next);
      expect(stand.asked).toEqual([`${next}+4`]);
      stand.below.answerAll();
      stand.expectData(place, next);
    }
    const next = stand.read(at + length);
    stand.below.answerAll();
    stand.expectData(next, at + length);
  });

  it("forgets everything at a reset, asks again for those who wait, and tells its users", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    const { waiting, at } = readUntilWaiting(stand);
    for (const user of stand.below.users) user.onReset();
    expect(stand.resets).toBe(1);
    expect(stand.asked.at(-1)).toBe(`${at}+4`);
    stand.below.answerAll();
    stand.expectData(waiting, at);
    expect(stand.disk.heldBytes).toBe(0);
    stand.read(at + 4);
    expect(stand.asked[0]).toBe(`${at + 4}+8`);
  });

  it("forgets before the first user hears of a reset", () => {
    const stand = new Stand(4096);
    const place = stand.answers.length + 1;
    const eager = stand.disk.attach({ onReset: () => void stand.read(4) });
    stand.readWhole(0);
    stand.below.users.at(-1)?.onReset();
    expect(stand.answers[place]).toBeUndefined();
    expect(stand.asked).toEqual(["4+8"]);
    eager.close();
  });

  it("drops the waiting reads of a user that leaves, and nobody else's", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    stand.below.dropsOnClose = false;
    const other = attach(stand.disk);
    const { waiting: mine, at } = readUntilWaiting(stand);
    const theirs = stand.read(at, 4, other);
    stand.handle.close();
    stand.handle.close();
    expect(stand.answers[mine]?.error).toBe(NBD_ERROR.ESHUTDOWN);
    expect(stand.answers[theirs]).toBeUndefined();
    stand.below.answerAll();
    stand.expectData(theirs, at);
  });

  it("gives an ESHUTDOWN that comes from leaving to the one who left, and serves those who waited for his read", () => {
    const stand = new Stand(4096);
    const other = attach(stand.disk);
    const mine = stand.read(0);
    const theirs = stand.read(4, 4, other);
    stand.handle.close();
    expect(stand.answers[mine]?.error).toBe(NBD_ERROR.ESHUTDOWN);
    expect(stand.asked).toEqual(["4+4"]);
    stand.below.answerAll();
    stand.expectData(theirs, 4);
  });

  it("holds nothing, and has no handle below, when the last user has left", () => {
    const stand = sequential(new Stand(1024 * K), 16);
    expect(stand.disk.heldBytes).toBeGreaterThan(0);
    stand.handle.close();
    expect(stand.disk.heldBytes).toBe(0);
    expect(stand.below.closedHandles).toBe(stand.below.users.length);
    const next = attach(stand.disk);
    const place = stand.read(0, 4, next);
    stand.below.answerAll();
    stand.expectData(place, 0);
  });
});

describe("ReadAheadDisk over a disk that changed while nobody used it", () => {
  it.each([
    ["smaller", 16, "12+4"],
    ["larger", 64, "12+8"],
  ])("fetches up to where it ends now: %s", (_name, sizeK, asked) => {
    const stand = new Stand(4096, { sizeBytes: 16 * K + (sizeK === 16 ? 16 * K : 0) });
    stand.readWhole(0);
    stand.handle.close();
    stand.below.geometry = { ...stand.below.geometry, sizeBytes: sizeK * K };
    const next = attach(stand.disk);
    const place = stand.read(12, 4, next);
    expect([stand.asked, stand.disk.geometry.sizeBytes]).toEqual([[asked], sizeK * K]);
    stand.below.answerAll();
    stand.expectData(place, 12);
  });

  it("asks for no more at once than may be asked for now, in whole blocks", () => {
    const stand = new Stand(4096);
    stand.handle.close();
    stand.below.geometry = { ...stand.below.geometry, maximumPayloadBytes: 4096 };
    const first = attach(stand.disk);
    stand.read(8, 4, first);
    expect(stand.asked).toEqual(["8+4"]);
    first.close();
    stand.below.geometry = {
      ...stand.below.geometry,
      sizeBytes: 17 * K,
      minimumBlockBytes: 4096,
      maximumPayloadBytes: 64 * K,
    };
    stand.read(12, 4, attach(stand.disk));
    expect(stand.asked).toEqual(["12+4"]);
  });

  it("does not look again while somebody uses it", () => {
    const stand = new Stand(4096, { sizeBytes: 64 * K });
    stand.below.geometry = { ...stand.below.geometry, sizeBytes: 16 * K };
    const second = attach(stand.disk);
    stand.read(12, 4, second);
    expect(stand.asked).toEqual(["12+8"]);
  });
});

describe("ReadAheadDisk and memory", () => {
  it("counts what is still leaving", () => {
    const below = new HeldDisk();
    const disk = new ReadAheadDisk(below, { cacheBytes: 4096, clock: new ManualClock() });
    const handle = attach(disk);
    handle.submit(request({ length: 4096 }, () => undefined));
    expect(disk.heldBytes).toBe(4096);
    below.answerAll();
    const leaving: Piece[] = [];
    const complete = ({ pieces }: Reply): void => {
      for (const piece of pieces) if (piece.kind === "data") piece.slice.slab.retain();
      leaving.push(...pieces);
    };
    handle.submit({ ...request({ offset: 4096, length: 4096 }, () => undefined), complete });
    expect(disk.heldBytes).toBe(4096);
    handle.submit(request({ offset: 8192, length: 4096 }, () => undefined));
    expect(below.held).toMatchObject([{ length: 4096 }]);
    for (const piece of leaving) if (piece.kind === "data") piece.slice.slab.release();
    expect(disk.heldBytes).toBe(0);
  });

  it("holds none of the memory that replies from below came in", () => {
    const below = new HeldDisk();
    const handle = attach(new ReadAheadDisk(below, { cacheBytes: 4096, clock: new ManualClock() }));
    const slabs: unknown[] = [];
    handle.submit(request({ length: 4096 }, () => undefined));
    const [asked] = below.held;
    const complete = asked?.complete.bind(asked);
    if (asked !== undefined) {
      below.held[0] = {
        ...asked,
        complete: (reply) => {
          complete?.(reply);
          for (const piece of reply.pieces) if (piece.kind === "data") slabs.push(piece.slice.slab.references);
        },
      };
    }
    below.answerAll();
    expect(slabs).toEqual([1]);
  });
});

/** A stand whose user has read so many times 4 KiB from the beginning, the fetches of the last read being on their way. */
function sequential(stand: Stand, reads: number): Stand {
  for (let read = 0; read < reads; read += 1) {
    stand.below.answerAll();
    stand.read(read * 4);
  }
  if (stand.asked.length === 0) throw new Error("nothing is on its way");
  return stand;
}

/** Goes on reading until a read has to wait; that one's place among the answers, and its offset in KiB. */
function readUntilWaiting(stand: Stand): { waiting: number; at: number } {
  for (let at = 64; ; at += 4) {
    const place = stand.read(at);
    if (stand.answers[place] === undefined) return { waiting: place, at };
  }
}

function holes(...lengths: number[]): Reply {
  return { error: 0, pieces: lengths.map((lengthBytes) => ({ kind: "hole", lengthBytes })), room: undefined };
}
