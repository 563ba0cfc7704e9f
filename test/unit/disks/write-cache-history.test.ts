import fc from "fast-check";
import { expect, it } from "vitest";

import type { DiskHandle } from "../../../src/disk.ts";
import { WriteCacheDisk } from "../../../src/disks/write-cache-disk.ts";
import { COMMAND, COMMAND_FLAG } from "../../../src/protocol/constants.ts";
import { settle } from "../support/settle.ts";
import { attach, request, write } from "./ask.ts";
import { SegmentModel, type Version } from "./write-cache-model.ts";
import { WeakDisk } from "./write-cache-weak-disk.ts";

/** Where the segments begin: at the borders of pages, beside them, and anywhere. */
const BORDERS = [0, 1, 3, 512, 4096, 65_535, 65_536, 65_537, 70_000, 131_072, 140_000, 196_608, 200_000] as const;
const SEGMENTS = BORDERS.length - 1;
const SIZE_BYTES = BORDERS[SEGMENTS] ?? 0;

type Move =
  | { readonly kind: "write"; readonly command: number; readonly fua: boolean; readonly segments: Segments }
  | { readonly kind: "read"; readonly segments: Segments }
  | { readonly kind: "flush" }
  | { readonly kind: "below"; readonly how: "act" | "answer" | "fail"; readonly which: number }
  | { readonly kind: "answer everything" }
  | { readonly kind: "power loss" };

interface Segments {
  readonly first: number;
  readonly count: number;
}

const segments = fc.record({ first: fc.nat(SEGMENTS - 1), count: fc.integer({ min: 1, max: 6 }) });
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      command: fc.constantFrom(COMMAND.WRITE, COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM),
      fua: fc.constantFrom(false, false, false, true),
      segments,
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("read" as const), segments }) },
  { weight: 5, arbitrary: fc.constant({ kind: "flush" } as const) },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant("below" as const),
      how: fc.constantFrom("act" as const, "answer", "answer", "answer", "answer", "fail"),
      which: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "answer everything" } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "power loss" } as const) },
);

/** One run of moves, and what may have come of them. */
class History {
  readonly #below = new WeakDisk(SIZE_BYTES);
  readonly #limitBytes: number;
  readonly #model = Array.from({ length: SEGMENTS }, () => new SegmentModel());
  #handle: DiskHandle;
  #moment = 0;
  #unanswered = 0;
  #lastValue = 0;
  /** Counts the power losses: what was asked before the last one is never answered. */
  #life = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#handle = attach(new WriteCacheDisk(this.#below, limitBytes));
  }

  async make(move: Move): Promise<void> {
    this.#moment += 1;
    if (move.kind === "write") this.#write(move.command, move.fua, move.segments);
    else if (move.kind === "read") this.#read(move.segments);
    else if (move.kind === "flush") this.#flush();
    else if (move.kind === "power loss") this.#losePower();
    else if (move.kind === "answer everything") await this.#answerEverything();
    else {
      const held = this.#below.held[move.which % this.#below.held.length];
      if (held !== undefined) this.#below[move.how](held);
    }
    await settle();
  }

  /** Nothing stays unanswered, and after a last FLUSH all of it survives. */
  async end(): Promise<void> {
    await this.#answerEverything();
    expect(this.#unanswered).toBe(0);
    await this.make({ kind: "flush" });
    await this.#answerEverything();
    await this.make({ kind: "power loss" });
  }

  #write(command: number, fua: boolean, where: Segments): void {
    const { offset, length, models } = this.#range(where);
    if (command === COMMAND.WRITE) this.#lastValue = (this.#lastValue % 255) + 1;
    const value = command === COMMAND.WRITE ? this.#lastValue : 0;
    const version: Version = { value, submitted: this.#moment, ended: Infinity, done: Infinity, stable: false };
    for (const model of models) model.written(version);
    const fields = command === COMMAND.WRITE ? write(offset, Buffer.alloc(length, value), length >> 1) : {};
    this.#submit({ command, flags: fua ? COMMAND_FLAG.FUA : 0, offset, length, ...fields }, (error) => {
      version.ended = this.#moment;
      if (error !== 0) return;
      version.done = this.#moment;
      version.stable = fua;
    });
  }

  #read(where: Segments): void {
    const { offset, length, models } = this.#range(where);
    const submitted = this.#moment;
    this.#submit({ offset, length }, (error, data) => {
      if (error !== 0) return;
      expect(data.length).toBe(length);
      for (const [index, model] of models.entries()) {
        const value = this.#valueIn(data, offset, where.first + index);
        expect(model.mayRead(value, submitted), `a READ saw ${value} in segment ${where.first + index}`).toBe(true);
      }
    });
  }

  #flush(): void {
    const submitted = this.#moment;
    this.#submit({ command: COMMAND.FLUSH }, (error) => {
      if (error === 0) for (const model of this.#model) model.flushed(submitted);
    });
  }

  #losePower(): void {
    this.#life += 1;
    this.#unanswered = 0;
    this.#below.losePower();
    for (const [segment, model] of this.#model.entries()) {
      const value = this.#valueIn(this.#below.stable, 0, segment);
      expect(model.maySurvive(value), `${value} survived in segment ${segment}`).toBe(true);
      model.restart(value);
    }
    this.#handle = attach(new WriteCacheDisk(this.#below, this.#limitBytes));
  }

  async #answerEverything(): Promise<void> {
    for (let held = this.#below.held[0]; held !== undefined; held = this.#below.held[0]) {
      this.#moment += 1;
      this.#below.answer(held);
      await settle();
    }
  }

  #submit(fields: Parameters<typeof request>[0], answered: (error: number, data: Buffer) => void): void {
    const life = this.#life;
    this.#unanswered += 1;
    this.#handle.submit(
      request(fields, ({ error, data }) => {
        if (life !== this.#life) return;
        this.#unanswered -= 1;
        answered(error, data);
      }),
    );
  }

  #range({ first, count }: Segments): { offset: number; length: number; models: SegmentModel[] } {
    const end = Math.min(first + count, SEGMENTS);
    const offset = BORDERS[first] ?? 0;
    return { offset, length: (BORDERS[end] ?? 0) - offset, models: this.#model.slice(first, end) };
  }

  /** The value that all bytes of a segment have; `bytes` begin at `offset`. */
  #valueIn(bytes: Buffer, offset: number, segment: number): number {
    const own = bytes.subarray((BORDERS[segment] ?? 0) - offset, (BORDERS[segment + 1] ?? 0) - offset);
    const value = own[0] ?? -1;
    expect(own.equals(Buffer.alloc(own.length, value)), `segment ${segment} is torn`).toBe(true);
    return value;
  }
}

it("has what was written for READs, and after a power loss what was flushed, over any disk below", async () => {
  const limits = fc.constantFrom(Infinity, 200_000, 1);
  const property = fc.asyncProperty(
    limits,
    fc.array(moves, { maxLength: 60, size: "max" }),
    async (limitBytes, history) => {
      const run = new History(limitBytes);
      for (const move of history) await run.make(move);
      await run.end();
    },
  );
  await fc.assert(property, { numRuns: 200 });
}, 30_000);
