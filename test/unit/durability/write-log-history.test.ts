import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Range } from "../../../src/durability/sorted-ranges.ts";
import { type Fragment, type LoggedWrite, WriteLog } from "../../../src/durability/write-log.ts";
import { CountedContent } from "./counted-content.ts";
import { NaivePins, NaiveWriteLog } from "./naive-write-log.ts";

/** A log and a naive one that go through the same history. */
class TwoLogs {
  readonly #pins = new NaivePins();
  readonly #log = new WriteLog<CountedContent>(this.#pins);
  readonly #naive: NaiveWriteLog;
  readonly #contents: CountedContent[] = [];
  readonly #sizeBytes: number;
  #writes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#naive = new NaiveWriteLog(sizeBytes, this.#pins);
  }

  /** Does it to both; returns the range that it was about. */
  act({ kind, at, length, part }: Step): Range {
    const sizeBytes = this.#sizeBytes;
    const start = Math.floor((at * (sizeBytes - 1)) / 1000);
    const end = Math.min(sizeBytes, start + length);
    const logs = [this.#log, this.#naive];
    const write = this.#write(start, end);
    // Any FLUSH may have been sent at any time before.
    const number = Math.ceil((this.#log.number * part) / 4);
    if (kind === "append") for (const log of logs) log.append(write);
    else if (kind === "supersede") for (const log of logs) log.supersede(write);
    else if (kind === "trim") for (const log of logs) log.trim(number);
    else if (kind === "renew") for (const log of logs) log.renew(start, end);
    else if (kind === "forgetStable") for (const log of logs) log.forgetStable();
    else if (kind === "clear") for (const log of logs) log.clear();
    else this.#pins.set(start, end, kind === "pin");
    return { start, end };
  }

  /** What the log has of a range. */
  compareWithin({ start, end }: Range): void {
    const overlapping = this.#naive.fragments().filter((one) => one.start < end && start < one.end && start < end);
    const inside = overlapping.map((one) => {
      const from = Math.max(start, one.start);
      return { ...one, start: from, end: Math.min(end, one.end), contentStart: one.contentStart + from - one.start };
    });
    expect(this.#log.within(start, end)).toEqual(inside);
  }

  /** Every number that the log tells about itself, and every one of its fragments. */
  compare(): void {
    const fragments = this.#naive.fragments();
    expect(this.#log.all()).toEqual(fragments);
    expect(this.#log.entries).toBe(fragments.length);
    expect(this.#log.number).toBe(this.#naive.number);
    expect(this.#log.bytes).toBe(lengthOf(fragments));
    expect(this.#log.unstableBytes).toBe(lengthOf(fragments.filter(({ stable }) => !stable)));
    const needed = new Map<CountedContent, number>();
    for (const { content } of fragments) if (content !== undefined) needed.set(content, (needed.get(content) ?? 0) + 1);
    for (const content of this.#contents) expect(content.fragments).toBe(needed.get(content) ?? 0);
  }

  end(): void {
    this.#log.clear();
    expect([this.#log.entries, this.#log.bytes, this.#log.unstableBytes]).toEqual([0, 0, 0]);
    expect(this.#contents.every(({ fragments }) => fragments === 0)).toBe(true);
  }

  /** One write of three is of zeros, and so has no content. */
  #write(start: number, end: number): LoggedWrite<CountedContent> {
    this.#writes += 1;
    const number = this.#writes;
    if (number % 3 === 0) return { start, end, command: 6, flags: number, content: undefined };
    const content = new CountedContent(`write ${number}`);
    this.#contents.push(content);
    return { start, end, command: 1, flags: number, content };
  }
}

function lengthOf(fragments: readonly Fragment<CountedContent>[]): number {
  return fragments.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** What is done to a log: `at` is in thousandths of its size, `part` says how many quarters of its fragments a FLUSH covered. */
interface Step {
  readonly kind: "append" | "supersede" | "trim" | "renew" | "forgetStable" | "clear" | "pin" | "unpin";
  readonly at: number;
  readonly length: number;
  readonly part: number;
}

function steps(longest: number): fc.Arbitrary<readonly Step[]> {
  const often = fc.constantFrom<Step["kind"]>("append", "append", "append", "supersede", "pin");
  const sometimes = fc.constantFrom<Step["kind"]>("trim", "renew", "unpin", "forgetStable");
  return fc.array(
    fc.record({
      kind: fc.oneof(
        { weight: 8, arbitrary: often },
        { weight: 5, arbitrary: sometimes },
        { weight: 1, arbitrary: fc.constant<Step["kind"]>("clear") },
      ),
      at: fc.nat(1000),
      length: fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(longest) }),
      part: fc.nat(4),
    }),
    { maxLength: 60 },
  );
}

describe("WriteLog", () => {
  it("agrees with a log of single bytes about any history", () => {
    fc.assert(
      fc.property(steps(40), (history) => {
        const logs = new TwoLogs(40);
        for (const step of history) {
          logs.compareWithin(logs.act(step));
          logs.compare();
        }
        logs.end();
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with it when there are thousands of fragments", () => {
    fc.assert(
      fc.property(steps(4000), (history) => {
        const logs = new TwoLogs(4001);
        // A gap of one byte is between any two of them, and they come in no order.
        for (let index = 0; index < 1000; index += 1)
          logs.act({ kind: "append", at: (index * 7) % 1000, length: 3, part: 0 });
        for (const step of history) logs.compareWithin(logs.act(step));
        logs.compare();
        logs.end();
      }),
      { numRuns: 10 },
    );
  });
});
