import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, PORTABLE_PAYLOAD_BYTES } from "../../../src/protocol/constants.ts";
import { replayRequests } from "../../../src/upstream/replay-requests.ts";
import { fragment, textOf } from "./kept.ts";

const { TRIM, WRITE, WRITE_ZEROES } = COMMAND;
const { FUA, NO_HOLE } = COMMAND_FLAG;

/** Requests in words: command, flags, offset, length, and the payload. */
function inWords(requests: ReturnType<typeof replayRequests>): string[] {
  return requests.map(({ command, flags, offset, length, payload }) =>
    `${command}/${flags} ${offset}+${length} ${textOf(payload)}`.trim(),
  );
}

describe("replayRequests", () => {
  it("is nothing for nothing", () => {
    expect(replayRequests([], 0, PORTABLE_PAYLOAD_BYTES)).toEqual([]);
  });

  it("writes neighbours together, and others apart", () => {
    const fragments = [fragment(0, "abc"), fragment(3, "de"), fragment(6, "fghi")];
    expect(inWords(replayRequests(fragments, 0, PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 0+5 abcde", "1/0 6+4 fghi"]);
  });

  it("writes the part of a content that a fragment stands for", () => {
    const parts = [
      { ...fragment(10, "abcdef"), start: 13, end: 15, contentStart: 3 },
      { ...fragment(15, "xyz"), start: 15, end: 16 },
    ];
    expect(inWords(replayRequests(parts, 0, PORTABLE_PAYLOAD_BYTES))).toEqual(["1/0 13+3 dex"]);
  });

  it("keeps what has no payload as it is, with its flags, and never joins it", () => {
    const fragments = [
      { ...fragment(0, { command: WRITE_ZEROES, length: 4 }), flags: NO_HOLE },
      fragment(4, { command: WRITE_ZEROES, length: 4 }),
      fragment(8, { command: TRIM, length: 4 }),
      fragment(12, { command: TRIM, length: 4 }),
      fragment(16, "ab"),
      fragment(18, { command: TRIM, length: 2 }),
      fragment(20, "cd"),
    ];
    expect(inWords(replayRequests(fragments, 0, PORTABLE_PAYLOAD_BYTES))).toEqual([
      "6/2 0+4",
      "6/0 4+4",
      "4/0 8+4",
      "4/0 12+4",
      "1/0 16+2 ab",
      "4/0 18+2",
      "1/0 20+2 cd",
    ]);
  });

  it("adds flags to each", () => {
    const fragments = [fragment(0, "a"), { ...fragment(1, { command: WRITE_ZEROES, length: 1 }), flags: NO_HOLE }];
    expect(replayRequests(fragments, FUA, PORTABLE_PAYLOAD_BYTES).map(({ flags }) => flags)).toEqual([
      FUA,
      FUA | NO_HOLE,
    ]);
  });

  it("joins no more than a request may have, and does not cut a longer one", () => {
    const limit = LIMITS.replayRequestBytes;
    const [half, whole] = [fragment(0, "h".repeat(limit / 2)), fragment(0, "w".repeat(2 * limit))];
    const fragments = [
      half,
      { ...half, start: limit / 2, end: limit },
      { ...half, start: limit, end: limit + 1 },
      { ...whole, start: limit + 1, end: limit + 1 + 2 * limit },
    ];
    expect(replayRequests(fragments, 0, PORTABLE_PAYLOAD_BYTES).map(({ offset, length }) => [offset, length])).toEqual([
      [0, limit],
      [limit, 1],
      [limit + 1, 2 * limit],
    ]);
    expect(replayRequests(fragments, 0, PORTABLE_PAYLOAD_BYTES).map(({ command }) => command)).toEqual([
      WRITE,
      WRITE,
      WRITE,
    ]);
  });

  it("joins no more than the server takes at once", () => {
    const fragments = [fragment(0, "abc"), fragment(3, "de"), fragment(5, "fgh")];
    expect(inWords(replayRequests(fragments, 0, 5))).toEqual(["1/0 0+5 abcde", "1/0 5+3 fgh"]);
    expect(inWords(replayRequests(fragments, 0, 4))).toEqual(["1/0 0+3 abc", "1/0 3+2 de", "1/0 5+3 fgh"]);
  });
});
