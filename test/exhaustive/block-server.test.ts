import { describe, expect, it } from "vitest";
import { BLOCK_EVENT, blockEvent, RESULT } from "./block-event.ts";
import { possibleValues, seenValue } from "./block-server.ts";
import { afterEvent, type Reached, withAllSteps } from "./server-paths.ts";
import { UNTOUCHED } from "./server-table.ts";
import { type Slots, slotsAfter } from "./slots.ts";

const { connected, ended, expired, flushAnswered, flushSent, readSent, writeAnswered, writeSent } = BLOCK_EVENT;
const send = (slot: number, value: number, fua = 0): number => blockEvent(writeSent, slot, value, fua);
const answer = (slot: number, value: number): number => blockEvent(writeAnswered, slot, value);
const write = (slot: number, value: number): readonly number[] => [send(slot, value), answer(slot, value)];
const flush = (failed: number): readonly number[] => [blockEvent(flushSent), blockEvent(flushAnswered, 0, 0, failed)];

/** All that the server may have become by these events. */
function reach(events: readonly number[]): readonly Reached[] {
  let reached: readonly Reached[] = [{ server: UNTOUCHED, trail: undefined }];
  let slots: Slots = [];
  for (const event of events) {
    reached = afterEvent(withAllSteps(reached, slots), event);
    slots = slotsAfter(slots, event);
  }
  return withAllSteps(reached, slots);
}

function values(all: readonly number[]): string {
  return [...new Set(all)].toSorted((one, other) => one - other).join(" ");
}

/** What the block may read as. */
function seen(...events: readonly (number | readonly number[])[]): string {
  return values(reach(events.flat()).map(({ server }) => seenValue(server)));
}

/** What a loss of power may leave. */
function left(...events: readonly (number | readonly number[])[]): string {
  return values(reach(events.flat()).flatMap(({ server }) => possibleValues(server)));
}

describe("a block at the weakest server", () => {
  it("changes when the server likes, but before it answers", () => {
    expect(seen()).toBe("1");
    expect(seen(send(0, 2))).toBe("1 2");
    expect(seen(write(0, 2))).toBe("2");
    expect(seen(send(0, 2), send(1, 3), answer(0, 2), answer(1, 3))).toBe("2 3");
  });

  it("may lose what is answered, and not what had FUA", () => {
    expect(left(write(0, 2), write(0, 3))).toBe("1 2 3");
    expect(left(write(0, 2), send(0, 3, 1), answer(0, 3))).toBe("3");
  });

  it("is stable after a FLUSH as far as it was answered before", () => {
    expect(left(write(0, 2), flush(0))).toBe("2");
    expect(left(send(0, 2), flush(0), answer(0, 2))).toBe("1 2");
    expect(left(write(0, 2), blockEvent(flushSent), write(0, 3), blockEvent(flushAnswered))).toBe("2 3");
  });

  it("is stable only as far as it was answered over the same connection", () => {
    expect(left(write(0, 2), blockEvent(connected), flush(0))).toBe("1 2");
  });

  it("may count what a FLUSH could not write as clean", () => {
    expect(left(write(0, 2), flush(1), flush(0))).toBe("1 2");
    expect(seen(write(0, 2), flush(1))).toBe("2");
    expect(left(write(0, 2), flush(1), write(0, 3), flush(0))).toBe("3");
  });

  it("may have lost its cache when there is a new connection, and what was not carried out with it", () => {
    expect(seen(write(0, 2), blockEvent(connected))).toBe("1 2");
    expect(seen(write(0, 2), flush(0), blockEvent(connected))).toBe("2");
  });

  it("may change late, until that is over", () => {
    const late = [send(0, 2), blockEvent(connected), ...write(1, 3)];
    expect(seen(late)).toBe("2 3");
    expect(reach(late).filter(({ server }) => server.late && seenValue(server) === 2)).not.toHaveLength(0);
    expect(seen(send(0, 2), blockEvent(connected), blockEvent(expired, 0, 2), write(1, 3))).toBe("3");
    // A FLUSH of the new connection does not cover it, nor does it cover what lies under it.
    expect(left(late, flush(0))).toBe("2 3");
  });

  it("shows to a READ what was there at any time in between", () => {
    const shown = reach([blockEvent(readSent, 1), ...write(0, 2), send(0, 3), blockEvent(ended, 1, RESULT.shown)]);
    expect(values(shown.map(({ server }) => server.shown[1] ?? NaN))).toBe("1 2 3");
  });
});
