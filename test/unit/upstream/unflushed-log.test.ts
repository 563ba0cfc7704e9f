import { describe, expect, it } from "vitest";

import type { Reply } from "../../../src/disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, PORTABLE_PAYLOAD_BYTES } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { StandInStep } from "../../../src/upstream/stand-in.ts";
import { type Unflushed, UnflushedLog } from "../../../src/upstream/unflushed-log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { textOf } from "./kept.ts";
import { request } from "./requests.ts";

const { TRIM, WRITE_ZEROES } = COMMAND;
const { FAST_ZERO, FUA, NO_HOLE } = COMMAND_FLAG;
const SLAB_BYTES = 4096;
/** What is in front of a payload of these tests, in a slab of its own. */
const HEADER_BYTES = 28;

function setUp(unflushed: Unflushed = "log", limitBytes = 16 * SLAB_BYTES, limitRequests = 1000) {
  const clock = new ManualClock();
  const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4, poison: true });
  const budget = new ByteBudget(limitBytes, limitRequests);
  const log = new UnflushedLog({ unflushed, clock, pool, budget });
  const table = new InFlightTable();
  const ack = (fields: Parameters<typeof request>[0], { stable = false, awaited = false } = {}): void =>
    log.acknowledged(table.add(request(fields), undefined), stable, awaited);
  /** What a READ of so many bytes there shows, when the server says only dots. */
  const see = (offset: number, length: number): string => {
    const slab = new Slab(Buffer.alloc(length, "."));
    const reply: Reply = {
      error: 0,
      pieces: [{ kind: "data", slice: new Slice(slab, 0, length, 0) }],
      room: undefined,
    };
    return log
      .seen(table.add(request({ offset, length }), undefined), reply)
      .pieces.map((piece) => (piece.kind === "hole" ? "0".repeat(piece.lengthBytes) : textOf([piece.slice])))
      .join("");
  };
  return { clock, pool, budget, log, ack, see };
}

/** Requests in words: command, flags, offset, length, and the payload. */
function inWords(requests: readonly StandInStep[]): string[] {
  return requests.map(({ command, flags, offset, length, payload }) =>
    `${command}/${flags} ${offset}+${length} ${textOf(payload)}`.trim(),
  );
}

describe("UnflushedLog", () => {
  it("has the newest content of every range", () => {
    const { log, ack } = setUp();
    ack({ text: "aaaaaaaa", offset: 0 });
    ack({ text: "bb", offset: 2 });
    ack({ command: WRITE_ZEROES, offset: 5, length: 1, flags: NO_HOLE | FAST_ZERO });
    ack({ command: TRIM, offset: 6, length: 4 });
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 0+5 aabba", "6/2 5+1", "4/0 6+4"]);
    expect([log.entries, log.unstableBytes]).toEqual([5, 10]);
  });

  it("is without what is on stable storage, and without what that covers", () => {
    const { log, ack } = setUp();
    ack({ text: "aaaaaa", offset: 0 });
    ack({ text: "bb", offset: 2, flags: FUA }, { stable: true });
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 0+2 aa", "1/0 4+2 aa"]);
  });

  it("forgets what was flushed, and its memory", () => {
    const { log, ack, budget } = setUp();
    ack({ text: "first" });
    const { number } = log;
    ack({ text: "second", offset: 10 });
    log.trim(number);
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 10+6 second"]);
    expect([log.heldBytes, budget.keptBytes]).toEqual([HEADER_BYTES + 6, HEADER_BYTES + 6]);
    log.trim(log.number);
    expect([log.entries, log.heldBytes, budget.keptBytes]).toEqual([0, 0, 0]);
  });

  it("does not mind requests of no bytes", () => {
    const { log, ack } = setUp();
    ack({ text: "" });
    expect([log.entries, log.age.oldestMs]).toEqual([0, undefined]);
  });

  it("keeps nothing in the other modes, but knows that something is not flushed", () => {
    for (const mode of ["fua", "off"] as const) {
      const { clock, log, ack, budget } = setUp(mode);
      clock.advance(7);
      ack({ text: "x" });
      expect([log.entries, log.unstableBytes, budget.keptBytes, log.age.oldestMs]).toEqual([0, 0, 0, 7]);
    }
  });

  it("keeps what a client waits for until it is flushed, in the other modes as well, and what is newer", () => {
    for (const mode of ["fua", "off"] as const) {
      const { log, ack } = setUp(mode);
      ack({ text: "aaaa", flags: FUA }, { awaited: true });
      ack({ text: "bb", offset: 3 });
      ack({ text: "cc", offset: 20 });
      const flags = mode === "fua" ? 1 : 0;
      expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual([`1/${flags} 0+5 aaabb`]);
      log.trim(log.number);
      ack({ text: "dd", offset: 0 });
      expect(log.entries).toBe(0);
    }
  });

  it("is written again with FUA where everything is", () => {
    const { log, ack } = setUp("fua");
    ack({ text: "a" }, { awaited: true });
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual(["1/1 0+1 a"]);
  });

  it("is crowded at half of its memory, unless all of it is stable", () => {
    const { log, ack } = setUp("log", 4 * SLAB_BYTES);
    ack({ text: "a".repeat(SLAB_BYTES) });
    expect(log.crowded).toBe(false);
    ack({ text: "a".repeat(SLAB_BYTES), offset: SLAB_BYTES });
    expect(log.crowded).toBe(true);
    log.pins.pin(0, 2 * SLAB_BYTES, 100);
    log.trim(log.number);
    expect([log.heldBytes, log.unstableBytes, log.crowded]).toEqual([2 * (SLAB_BYTES + HEADER_BYTES), 0, false]);
  });

  it("is crowded with many small fragments as well", () => {
    const { log, ack } = setUp("log", 16 * SLAB_BYTES, 10);
    for (let count = 0; count < 5; count += 1) {
      expect(log.crowded).toBe(false);
      ack({ text: "x", offset: 2 * count });
    }
    expect(log.crowded).toBe(true);
  });

  it("does not count while writes are refused, so that they can come in to be refused", () => {
    const { log, ack, budget } = setUp();
    ack({ text: "x" });
    log.frozen = true;
    expect(budget.keptBytes).toBe(0);
    ack({ text: "y", offset: 10 });
    expect(budget.keptBytes).toBe(0);
    log.frozen = false;
    expect(budget.keptBytes).toBe(2 * (HEADER_BYTES + 1));
  });

  it("says how many acknowledged bytes are lost when it is given up", () => {
    const { log, ack, pool, budget } = setUp();
    ack({ text: "abc" });
    ack({ command: WRITE_ZEROES, offset: 10, length: 4 });
    log.pins.pin(0, 3, 100);
    log.pins.pin(20, 30, 100);
    ack({ text: "xyz", flags: FUA }, { stable: true });
    expect(log.discard()).toBe(4);
    // What may be carried out late can be so all the same.
    expect([log.entries, log.pins.count, log.age.oldestMs]).toEqual([0, 2, undefined]);
    expect([pool.heldBytes, budget.keptBytes]).toEqual([0, 0]);
  });
});

describe("UnflushedLog with pins", () => {
  it("shows the newest content of a pinned range, whatever the server says", () => {
    const { log, ack, see } = setUp();
    ack({ text: "abcdef", offset: 10 });
    expect(see(8, 10)).toBe("..........");
    log.pins.pin(12, 14, 100);
    expect(see(8, 10)).toBe("....cd....");
    expect([see(8, 4), see(13, 1), see(14, 5)]).toEqual(["....", "d", "....."]);
  });

  it("shows nothing else of it: another write of that may be under way, and have been seen", () => {
    const { log, ack, see } = setUp();
    log.pins.pin(12, 14, 100);
    log.pins.pin(16, 17, 100);
    ack({ text: "abcdefgh", offset: 10 });
    expect(see(10, 8)).toBe("..cd..g.");
  });

  it("keeps what is pinned when it is flushed, or was written with FUA, in any mode", () => {
    for (const mode of ["log", "fua", "off"] as const) {
      const { log, ack, see } = setUp(mode);
      log.pins.pin(0, 4, 100);
      ack({ text: "ab", offset: 0, flags: FUA }, { stable: true });
      ack({ text: "cd", offset: 2 });
      ack({ command: WRITE_ZEROES, offset: 3, length: 1 });
      log.trim(log.number);
      expect([see(0, 5), log.unstableBytes]).toEqual(["abc0.", 0]);
    }
  });

  it("writes again the part of it that is pinned, and no other", () => {
    const { log, ack } = setUp();
    ack({ text: "abcdefgh", offset: 10 });
    expect(inWords([...log.rewriteRequests(12, 14, PORTABLE_PAYLOAD_BYTES)])).toEqual(["1/0 12+2 cd"]);
    expect(inWords([...log.rewriteRequests(0, 12, PORTABLE_PAYLOAD_BYTES)])).toEqual(["1/0 10+2 ab"]);
    expect(inWords([...log.rewriteRequests(16, 30, PORTABLE_PAYLOAD_BYTES)])).toEqual(["1/0 16+2 gh"]);
    expect([...log.rewriteRequests(0, 10, PORTABLE_PAYLOAD_BYTES)]).toEqual([]);
  });

  it("writes nothing again where a TRIM was, and the rest one after the other", () => {
    const { log, ack } = setUp();
    ack({ text: "abcdefgh", offset: 10 });
    ack({ command: TRIM, offset: 10, length: 2 });
    ack({ command: TRIM, offset: 14, length: 1 });
    ack({ command: WRITE_ZEROES, offset: 17, length: 5 });
    ack({ command: TRIM, offset: 19, length: 9 });
    expect(inWords([...log.rewriteRequests(0, 30, PORTABLE_PAYLOAD_BYTES)])).toEqual([
      "1/0 12+2 cd",
      "1/0 15+2 fg",
      "6/0 17+2",
    ]);
  });

  it("has at hand what is there when its turn has come, not what was there before", () => {
    const { log, ack } = setUp();
    ack({ text: "ab", offset: 0 });
    ack({ text: "yz", offset: 10 });
    const words: string[] = [];
    for (const one of log.rewriteRequests(0, 20, PORTABLE_PAYLOAD_BYTES)) {
      words.push(...inWords([one]));
      ack({ text: "YZ", offset: 10 });
    }
    expect(words).toEqual(["1/0 0+2 ab", "1/0 10+2 YZ"]);
  });

  it("has it flushed like anything else when the pin is gone", () => {
    const { clock, log, ack } = setUp();
    log.pins.pin(0, 4, 100);
    ack({ text: "abcd", flags: FUA }, { stable: true });
    expect(log.unstableBytes).toBe(0);
    clock.advance(100);
    log.pins.lift(log.pins.ended(100), 100);
    log.unpinned(0, 4);
    expect([log.unstableBytes, log.age.oldestMs]).toEqual([4, 100]);
    log.trim(log.number);
    expect(log.entries).toBe(0);
  });

  it("forgets it then where nothing is kept, but not what a client waits for", () => {
    const { log, ack, pool } = setUp("off");
    log.pins.pin(0, 4, 100);
    ack({ text: "abcd" });
    ack({ text: "yz", offset: 2, flags: FUA }, { awaited: true });
    log.pins.lift(log.pins.ended(100), 100);
    log.unpinned(0, 4);
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 2+2 yz"]);
    log.trim(log.number);
    expect([log.entries, pool.heldBytes]).toEqual([0, 0]);
  });
});

describe("UnflushedLog with small remains in many slabs", () => {
  const SLABS = LIMITS.logRepackBytes / SLAB_BYTES;

  /** A log with writes in so many slabs, all of each slab, of which so many bytes are pinned. */
  function full(pinnedBytes: number) {
    const played = setUp("log", 4 * LIMITS.logRepackBytes);
    const { log, ack, pool } = played;
    for (let index = 0; index < SLABS; index += 1) {
      const slab = pool.take();
      slab.buffer.fill("x").write(`${1000 + index}`);
      const offset = index * SLAB_BYTES;
      log.pins.pin(offset, offset + pinnedBytes, 100);
      const [pinned, rest] = [new Slice(slab, 0, pinnedBytes, 0), new Slice(slab, pinnedBytes, SLAB_BYTES, 0)];
      ack({ command: COMMAND.WRITE, offset, length: pinned.length, payload: [pinned] });
      ack({ command: COMMAND.WRITE, offset: offset + pinnedBytes, length: rest.length, payload: [rest] });
      slab.release();
    }
    expect([log.heldBytes, pool.heldBytes]).toEqual([LIMITS.logRepackBytes, LIMITS.logRepackBytes]);
    return played;
  }

  it("copies them together when a FLUSH has left little else", () => {
    const { log, see, pool } = full(4);
    log.trim(log.number);
    expect([log.entries, log.heldBytes, pool.heldBytes]).toEqual([SLABS, SLAB_BYTES, SLAB_BYTES]);
    for (const index of [0, 1, 500, SLABS - 1]) expect(see(index * SLAB_BYTES, 5)).toBe(`${1000 + index}.`);
  });

  it("does so when most of it was overwritten as well", () => {
    const { log, ack, pool } = full(4);
    for (let index = 0; index < SLABS; index += 1) {
      ack({ command: WRITE_ZEROES, offset: index * SLAB_BYTES + 4, length: SLAB_BYTES - 4 });
    }
    // The last quarter was needed whole when the others were copied together.
    expect(pool.heldBytes).toBe((SLABS / 4) * SLAB_BYTES);
    expect(inWords(log.replayRequests(PORTABLE_PAYLOAD_BYTES).slice(-2))).toEqual([
      `1/0 ${(SLABS - 1) * SLAB_BYTES}+4 ${1000 + SLABS - 1}`,
      `6/0 ${(SLABS - 1) * SLAB_BYTES + 4}+${SLAB_BYTES - 4}`,
    ]);
  });

  /** A log with one write in each of so many slabs, which somebody else needs as well until they are released. */
  function shared(count: number, limitBytes: number, bytesOf = (_index: number) => 4) {
    const played = setUp("log", limitBytes);
    const slabs = Array.from({ length: count }, () => played.pool.take());
    for (const [index, slab] of slabs.entries()) {
      const length = bytesOf(index);
      const payload = [new Slice(slab, 0, length, 0)];
      played.ack({ command: COMMAND.WRITE, offset: index * SLAB_BYTES, length, payload });
    }
    return { ...played, slabs };
  }

  it("leaves alone what somebody else needs as well, until nobody does", () => {
    const { log, slabs } = shared(2 * SLABS, 16 * LIMITS.logRepackBytes);
    log.trim(0);
    expect(log.heldBytes).toBe(2 * LIMITS.logRepackBytes);
    for (const slab of slabs) slab.release();
    log.trim(0);
    expect(log.heldBytes).toBe(2 * SLAB_BYTES);
  });

  it("copies that too before the log has no room for anything else", () => {
    const { log } = shared(2 * SLABS, 5 * LIMITS.logRepackBytes);
    expect(log.heldBytes).toBeLessThan(LIMITS.logRepackBytes / 100);
  });

  it("leaves slabs alone that would stay for the sake of something long", () => {
    const { log, slabs } = shared(2 * SLABS, 16 * LIMITS.logRepackBytes, (index) =>
      index % 2 === 0 ? SLAB_BYTES / 4 + 1 : 4,
    );
    for (const slab of slabs) slab.release();
    log.trim(0);
    expect(log.heldBytes).toBe(LIMITS.logRepackBytes + SLAB_BYTES);
  });

  it("leaves them where they are when much of it is needed", () => {
    const { log, see, pool } = full(SLAB_BYTES / 2);
    log.trim(log.number);
    expect([log.entries, log.heldBytes, pool.heldBytes]).toEqual([SLABS, LIMITS.logRepackBytes, LIMITS.logRepackBytes]);
    expect(see(SLAB_BYTES / 2 - 1, 2)).toBe("x.");
  });
});

describe("UnflushedLog whose content the server refuses to take", () => {
  it("shows all of it, until the server took it", () => {
    const { log, ack, see } = setUp();
    ack({ text: "abc", offset: 2 });
    ack({ command: TRIM, offset: 6, length: 2 });
    log.ahead = true;
    expect([see(0, 8), see(3, 1), see(5, 3)]).toEqual(["..abc...", "b", "..."]);
    log.ahead = false;
    expect(see(0, 8)).toBe("........");
  });
});
