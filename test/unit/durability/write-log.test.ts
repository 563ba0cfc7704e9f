import { describe, expect, it, vi } from "vitest";

import { BrokenInvariant } from "../../../src/durability/invariants.ts";
import { SortedRanges } from "../../../src/durability/sorted-ranges.ts";
import { type Fragment, type LoggedWrite, WriteLog } from "../../../src/durability/write-log.ts";
import { CountedContent } from "./counted-content.ts";
import { NaivePins } from "./naive-write-log.ts";

const WRITE = 1;
const TRIM = 4;
const WRITE_ZEROES = 6;

function playLog() {
  const pins = new NaivePins();
  const log = new WriteLog<CountedContent>(pins);
  const contents: CountedContent[] = [];
  const written = (start: number, end: number): LoggedWrite<CountedContent> => {
    const content = new CountedContent(`bytes ${start} to ${end}`);
    contents.push(content);
    return { start, end, command: WRITE, flags: 0, content };
  };
  return { pins, log, contents, written };
}

/** Where fragments are, whose bytes they show, and from where on. */
function lines(fragments: readonly Fragment<CountedContent>[]): readonly string[] {
  return fragments.map(({ start, end, content, contentStart, stable }) => {
    return `${start}-${end} ${content?.name ?? "zeros"} from ${contentStart}${stable ? ", stable" : ""}`;
  });
}

describe("WriteLog", () => {
  it("holds nothing at first", () => {
    const { log } = playLog();
    expect([log.entries, log.bytes, log.unstableBytes, log.number, log.all()]).toEqual([0, 0, 0, 0, []]);
  });

  it("keeps what was acknowledged, as it was", () => {
    const { log, contents, written } = playLog();
    log.append(written(10, 20));
    log.append({ start: 30, end: 40, command: WRITE_ZEROES, flags: 2, content: undefined });
    expect(log.all()).toEqual([
      { ...written(10, 20), content: contents[0], contentStart: 0, number: 1, stable: false },
      { start: 30, end: 40, command: 6, flags: 2, content: undefined, contentStart: 0, number: 2, stable: false },
    ]);
    expect([log.entries, log.bytes, log.unstableBytes, log.number]).toEqual([2, 20, 20, 2]);
    expect(log.within(20, 40)).toEqual([log.all()[1]]);
  });

  it("shows of a range what it has of it, and nothing beyond", () => {
    const { log, contents, written } = playLog();
    for (const start of [10, 20, 40]) log.append(written(start, start + 10));
    expect(lines(log.within(13, 45))).toEqual([
      "13-20 bytes 10 to 20 from 3",
      "20-30 bytes 20 to 30 from 0",
      "40-45 bytes 40 to 50 from 0",
    ]);
    expect(lines(log.within(22, 24))).toEqual(["22-24 bytes 20 to 30 from 2"]);
    expect([log.within(30, 40), log.within(25, 25), log.entries, log.bytes]).toEqual([[], [], 3, 30]);
    expect(contents.map(({ fragments }) => fragments)).toEqual([1, 1, 1]);
  });

  it("cuts a newer write out of an older one, whose ends keep their places in its bytes", () => {
    const { log, contents, written } = playLog();
    log.append(written(10, 30));
    log.append(written(15, 20));
    expect(lines(log.all())).toEqual([
      "10-15 bytes 10 to 30 from 0",
      "15-20 bytes 15 to 20 from 0",
      "20-30 bytes 10 to 30 from 10",
    ]);
    expect(contents.map(({ fragments }) => fragments)).toEqual([2, 1]);
    log.append(written(22, 24));
    expect(lines(log.within(20, 30))).toEqual([
      "20-22 bytes 10 to 30 from 10",
      "22-24 bytes 22 to 24 from 0",
      "24-30 bytes 10 to 30 from 14",
    ]);
    expect([log.bytes, contents[0]?.fragments]).toEqual([20, 3]);
  });

  it.each([
    ["zeros", WRITE_ZEROES],
    ["a TRIM", TRIM],
  ])("replaces data with %s, and lets go of it", (_, command) => {
    const { log, contents, written } = playLog();
    for (const start of [0, 10, 20]) log.append(written(start, start + 10));
    log.append({ start: 5, end: 25, command, flags: 0, content: undefined });
    expect(log.all().map((one) => [one.start, one.end, one.command])).toEqual([
      [0, 5, WRITE],
      [5, 25, command],
      [25, 30, WRITE],
    ]);
    expect(contents.map(({ freed }) => freed)).toEqual([false, true, false]);
  });

  it("has no fragment of an empty write", () => {
    const { log, written } = playLog();
    log.append(written(0, 10));
    log.append(written(5, 5));
    log.supersede(written(5, 5));
    expect([log.entries, log.bytes, log.number]).toEqual([1, 10, 1]);
  });

  it("removes what a durable write covers, and does not keep that one", () => {
    const { log, contents, written } = playLog();
    log.append(written(0, 10));
    log.append(written(10, 20));
    log.supersede(written(5, 20));
    expect(lines(log.all())).toEqual(["0-5 bytes 0 to 10 from 0"]);
    expect(contents.map(({ fragments }) => fragments)).toEqual([1, 0, 0]);
    expect([log.bytes, log.unstableBytes]).toEqual([5, 5]);
  });

  it("trims what a FLUSH covered, and nothing younger than it", () => {
    const { log, contents, written } = playLog();
    log.append(written(0, 10));
    log.append(written(10, 20));
    const flushed = log.number;
    log.append(written(20, 30));
    log.append(written(5, 15));
    log.trim(flushed);
    expect(lines(log.all())).toEqual(["5-15 bytes 5 to 15 from 0", "20-30 bytes 20 to 30 from 0"]);
    expect(contents.map(({ freed }) => freed)).toEqual([true, true, false, false]);
    log.trim(flushed);
    expect(log.entries).toBe(2);
    log.trim(log.number);
    expect([log.entries, log.bytes, log.unstableBytes]).toEqual([0, 0, 0]);
  });

  it("forgets everything", () => {
    const { log, pins, contents, written } = playLog();
    pins.set(0, 5, true);
    for (let start = 0; start < 1000; start += 10) log.append(written(start, start + 10));
    log.trim(50);
    log.clear();
    expect([log.entries, log.bytes, log.unstableBytes, log.number]).toEqual([0, 0, 0, 100]);
    expect(contents.every(({ freed }) => freed)).toBe(true);
  });

  it("lets all of a crowd go that one write covers", () => {
    const { log, contents, written } = playLog();
    // 16381 is prime: the steps reach every place once.
    for (let index = 0; index < 16_381; index += 1) {
      const start = 10 * ((index * 1000) % 16_381);
      log.append(written(start, start + 10));
    }
    expect([log.entries, log.bytes]).toEqual([16_381, 163_810]);
    log.append(written(5, 163_805));
    expect(log.all().map(({ start, end }) => [start, end])).toEqual([
      [0, 5],
      [5, 163_805],
      [163_805, 163_810],
    ]);
    expect(contents.filter(({ freed }) => freed)).toHaveLength(16_379);
  });
});

describe("WriteLog under a pin", () => {
  it("keeps what was flushed as long as a pin is on it, as stable", () => {
    const { log, pins, written } = playLog();
    for (const start of [0, 10, 20]) log.append(written(start, start + 10));
    pins.set(15, 16, true);
    log.trim(log.number);
    expect(lines(log.all())).toEqual(["10-20 bytes 10 to 20 from 0, stable"]);
    expect([log.bytes, log.unstableBytes]).toEqual([10, 0]);
    pins.set(15, 16, false);
    log.trim(log.number);
    expect(log.entries).toBe(0);
  });

  it("keeps a durable write as stable", () => {
    const { log, pins, contents, written } = playLog();
    log.append(written(0, 20));
    pins.set(10, 12, true);
    log.supersede(written(5, 15));
    expect(lines(log.all())).toEqual([
      "0-5 bytes 0 to 20 from 0",
      "5-15 bytes 5 to 15 from 0, stable",
      "15-20 bytes 0 to 20 from 15",
    ]);
    expect([log.bytes, log.unstableBytes, contents[1]?.fragments]).toEqual([20, 10, 1]);
  });

  it("forgets what is stable once no pin is on it, and nothing else", () => {
    const { log, pins, written } = playLog();
    pins.set(0, 20, true);
    log.supersede(written(0, 10));
    log.supersede(written(10, 20));
    log.append(written(20, 30));
    pins.set(0, 10, false);
    log.forgetStable();
    expect(lines(log.all())).toEqual(["10-20 bytes 10 to 20 from 0, stable", "20-30 bytes 20 to 30 from 0"]);
  });

  it("has to be flushed again where it was written anew, by a FLUSH sent after that", () => {
    const { log, pins, written } = playLog();
    pins.set(0, 30, true);
    for (const start of [0, 10, 20]) log.append(written(start, start + 10));
    log.trim(log.number);
    pins.set(0, 30, false);
    const flushed = log.number;
    log.renew(9, 20);
    expect([log.number, log.unstableBytes]).toEqual([flushed + 2, 20]);
    log.trim(flushed);
    expect(lines(log.all())).toEqual(["0-10 bytes 0 to 10 from 0", "10-20 bytes 10 to 20 from 0"]);
    log.trim(log.number);
    expect(log.entries).toBe(0);
  });
});

describe("WriteLog, if it were broken,", () => {
  /** A log of three fragments, and its insides, to be changed behind its back. */
  function openLog() {
    const { log, written } = playLog();
    const spy = vi.spyOn(SortedRanges.prototype, "insert");
    for (const start of [0, 10, 20]) log.append(written(start, start + 10));
    const inside = spy.mock.contexts[0] as SortedRanges<Fragment<CountedContent>>;
    spy.mockRestore();
    expect(inside.all()).toEqual(log.all());
    return { log, inside };
  }

  it.each<[string, (log: WriteLog<CountedContent>) => void, number]>([
    ["trims nothing", (log) => log.trim(0), 30],
    ["trims one", (log) => log.trim(1), 20],
    ["forgets what is stable", (log) => log.forgetStable(), 30],
  ])("would notice that a fragment is gone when it %s", (_, act, owedBytes) => {
    const { log, inside } = openLog();
    inside.filter(({ start }) => start !== 20);
    expect(() => act(log)).toThrow(BrokenInvariant);
    expect(() => act(log)).toThrow(
      `invariant I1 is broken: the log holds ${owedBytes - 10} bytes instead of ${owedBytes}`,
    );
  });

  it("would notice that a part of one is gone", () => {
    const { log, inside } = openLog();
    inside.replace(10, 20, (covered) => covered.map((one) => ({ ...one, end: 19 })));
    expect(() => log.trim(0)).toThrow("invariant I1 is broken: the log holds 29 bytes instead of 30");
  });

  it("would notice one that nobody wrote", () => {
    const { log, inside } = openLog();
    inside.replace(30, 40, () =>
      inside
        .all()
        .slice(2)
        .map((one) => ({ ...one, start: 30, end: 40 })),
    );
    expect(() => log.trim(0)).toThrow("invariant I1 is broken: the log holds 40 bytes instead of 30");
  });

  it("would notice one that does not leave", () => {
    const { log, inside } = openLog();
    vi.spyOn(inside, "filter").mockImplementation((wanted) => void inside.all().filter((one) => wanted(one)));
    expect(() => log.clear()).toThrow("invariant I1 is broken: the log holds 30 bytes instead of 0");
  });

  it("says nothing as long as it is not", () => {
    const { log } = openLog();
    log.trim(1);
    log.forgetStable();
    log.clear();
    expect(log.entries).toBe(0);
  });
});
