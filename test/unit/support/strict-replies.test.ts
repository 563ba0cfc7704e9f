import { describe, expect, it } from "vitest";

import {
  chunkBytes,
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  replyBytes,
  statusChunkBytes,
} from "./naive-codec.ts";
import { type StrictQuestion, StrictReplies } from "./strict-replies.ts";

// The judge of other tests: it must find what it is there to find.

const READ: StrictQuestion = { command: 0, flags: 0, offset: 100, length: 10 };
const WRITE: StrictQuestion = { command: 1, flags: 0, offset: 100, length: 10 };
const STATUS: StrictQuestion = { command: 7, flags: 0, offset: 100, length: 10 };

function parse(question: StrictQuestion, ...bytes: Buffer[]): StrictReplies {
  const strict = new StrictReplies([1, 2]);
  strict.asked(0n, question);
  expect(strict.parse(Buffer.concat(bytes))).toHaveLength(0);
  return strict;
}

const data = (offset: number, text: string, flags = 0): Buffer =>
  dataChunkBytes({ done: flags === 1, offset, data: Buffer.from(text) });
const hole = (offset: number, size: number, flags = 0): Buffer =>
  holeChunkBytes({ done: flags === 1, offset, length: size });
const status = (id: number, flags: number, ...extents: [number, number][]): Buffer =>
  statusChunkBytes({ done: flags === 1, id, extents });

describe("StrictReplies", () => {
  it("puts a READ together", () => {
    const { replies, open } = parse(READ, hole(105, 5), data(100, "12345", 1));
    expect(replies).toEqual([
      {
        cookie: 0n,
        error: 0,
        text: "",
        errorOffset: undefined,
        data: Buffer.from("12345\0\0\0\0\0"),
        chunks: ["hole 5@105", "data 5@100"],
        statuses: new Map(),
      },
    ]);
    expect(open.size).toBe(0);
  });

  it("leaves what is not whole", () => {
    const strict = new StrictReplies();
    strict.asked(0n, READ);
    const bytes = data(100, "1234567890", 1);
    expect(strict.parse(bytes.subarray(0, -1))).toHaveLength(bytes.length - 1);
    expect(strict.replies).toEqual([]);
  });

  it("knows errors and block status", () => {
    const failed = parse(READ, data(100, "1"), errorChunkBytes({ error: 5, text: "no", offset: 101 }));
    expect(failed.replies).toMatchObject([{ error: 5, text: "no", errorOffset: 101, data: Buffer.alloc(0) }]);
    const told = parse(STATUS, status(2, 0, [20, 3]), status(1, 1, [5, 0], [1, 1]));
    expect(told.replies[0]?.statuses).toEqual(
      new Map([
        [2, [[20, 3]]],
        [
          1,
          [
            [5, 0],
            [1, 1],
          ],
        ],
      ]),
    );
    expect(parse(WRITE, replyBytes({ error: 28 })).replies).toMatchObject([{ error: 28, chunks: ["simple"] }]);
  });

  it.each<readonly [string, StrictQuestion, Buffer[], string]>([
    ["a gap", READ, [data(100, "123456789", 1)], "not covered"],
    ["an overlap", READ, [data(100, "12345"), hole(104, 6, 1)], "overlaps"],
    ["content outside", READ, [data(99, "12345")], "outside"],
    ["an empty chunk", READ, [data(100, "")], "an empty chunk"],
    ["fragments in spite of DF", { ...READ, flags: 4 }, [data(100, "12345"), hole(105, 5, 1)], "DF"],
    ["a simple reply to a READ", READ, [replyBytes({})], "simple reply to a READ"],
    ["a reply behind the end", READ, [hole(100, 10, 1), hole(100, 10, 1)], "nobody waits"],
    ["block status in a simple reply", STATUS, [replyBytes({})], "block status in a simple reply"],
    ["a context twice", STATUS, [status(1, 0, [10, 0]), status(1, 1, [10, 0])], "a context twice"],
    ["a missing context", STATUS, [status(1, 1, [10, 0])], "not the contexts selected"],
    ["an extent behind the end", STATUS, [status(1, 0, [10, 0], [1, 0])], "behind the end"],
    ["two extents in spite of REQ_ONE", { ...STATUS, flags: 8 }, [status(1, 0, [5, 0], [5, 1])], "REQ_ONE"],
    ["an extent that overruns REQ_ONE", { ...STATUS, flags: 8 }, [status(1, 0, [11, 0])], "REQ_ONE"],
    ["an error outside", READ, [errorChunkBytes({ error: 5, offset: 110 })], "outside"],
    ["an error that is none", READ, [errorChunkBytes({ error: 0 })], "is none"],
    ["chunk flags that do not exist", READ, [chunkBytes({ type: 2, flags: 3, payload: Buffer.alloc(12) })], "flags"],
    ["a NONE that is no end", READ, [chunkBytes({ type: 0, flags: 0 })], "NONE"],
    ["chunks for a WRITE", WRITE, [doneBytes()], "nothing to tell"],
    ["rubbish", READ, [Buffer.alloc(20)], "no magic"],
  ])("throws at %s", (_name, question, bytes, message) => {
    expect(() => parse(question, ...bytes)).toThrow(message);
  });
});
