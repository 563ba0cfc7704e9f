import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { Replay } from "../../../src/upstream/replay.ts";
import type { StandInStep } from "../../../src/upstream/stand-in.ts";

const MIB = 1024 * 1024;
const MEMORY = new Slab(Buffer.alloc(4 * MIB));

function write(offset: number, length = 1): StandInStep {
  const payload = [new Slice(MEMORY, 0, length, 0)];
  return { command: COMMAND.WRITE, flags: 0, offset, length, payload, room: undefined };
}

function bare(command: number, offset: number, length = 1): StandInStep {
  return { command, flags: 0, offset, length, payload: [], room: undefined };
}

/** A replay that has begun, and whose server is the test. */
function replaying(requests: readonly StandInStep[], answersAtOnce = false) {
  const sent: number[] = [];
  const answers: ((error: number) => void)[] = [];
  const results: (readonly [refused: number, error: number])[] = [];
  const replay = new Replay(requests, {
    send: ({ offset }, answered) => {
      sent.push(offset);
      if (answersAtOnce) answered(0);
      else answers.push(answered);
    },
    finished: (refused, error) => results.push([refused, error]),
  });
  replay.begin();
  return { sent, results, answer: (index: number, error = 0) => answers[index]?.(error) };
}

describe("Replay", () => {
  it("is finished at once when there is nothing to send", () => {
    expect(replaying([]).results).toEqual([[0, 0]]);
  });

  it("sends all at once, and is finished when every one is answered, in whatever order", () => {
    const { sent, results, answer } = replaying([write(0), write(5), bare(COMMAND.WRITE_ZEROES, 9)]);
    expect(sent).toEqual([0, 5, 9]);
    answer(2);
    answer(0);
    expect(results).toEqual([]);
    answer(1);
    expect(results).toEqual([[0, 0]]);
  });

  it("has no more requests at the server than it should have to hold", () => {
    const many = Array.from({ length: LIMITS.replayWindowRequests + 3 }, (_, index) => write(index));
    const { sent, answer } = replaying(many);
    expect(sent).toHaveLength(LIMITS.replayWindowRequests);
    answer(7);
    expect(sent).toHaveLength(LIMITS.replayWindowRequests + 1);
    answer(8);
    answer(9);
    expect(sent).toEqual(many.map(({ offset }) => offset));
  });

  it("has no more bytes there, and counts only those that are sent", () => {
    const { sent, answer } = replaying([
      bare(COMMAND.WRITE_ZEROES, 0, 1000 * MIB),
      ...[1, 2, 3, 4].map((offset) => write(offset, 4 * MIB)),
    ]);
    expect(sent).toEqual([0, 1, 2]);
    answer(1);
    expect(sent).toEqual([0, 1, 2, 3]);
    answer(2);
    expect(sent).toEqual([0, 1, 2, 3, 4]);
  });

  it("counts what is refused, and goes on with the rest; a TRIM that is refused is none", () => {
    const { results, answer } = replaying([write(0), write(5), bare(COMMAND.TRIM, 9), write(12)]);
    answer(0, NBD_ERROR.ENOSPC);
    answer(1, NBD_ERROR.EIO);
    answer(2, NBD_ERROR.EINVAL);
    answer(3);
    expect(results).toEqual([[2, NBD_ERROR.EIO]]);
  });

  it("is finished once when each is answered while it is being sent", () => {
    const many = Array.from({ length: 1000 }, (_, index) => write(index));
    const { sent, results } = replaying(many, true);
    expect([sent.length, results]).toEqual([1000, [[0, 0]]]);
  });
});
