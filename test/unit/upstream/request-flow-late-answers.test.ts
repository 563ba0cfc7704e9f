import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { DONE, playFlow, type PlayedSession } from "./played-flow.ts";
import { request } from "./requests.ts";

// A connection that was given up may go on answering for a while. Its answers count until there is the next one.

const write = (offset: number, text = "x") => request({ text, offset });
const read = (offset: number) => request({ offset, length: 1 });

describe("RequestFlow that gets a late answer", () => {
  it("answers the request while there is no connection, and does not send it again", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    const asked = [read(1), write(2), write(3)];
    for (const one of asked) flow.submit(one, undefined);
    flow.lost();
    reply(before, 0, NBD_ERROR.EIO);
    reply(before, 1);
    expect(asked.map(({ answers }) => answers.map(({ error }) => error))).toEqual([[5], [0], []]);
    const after = connect();
    // What was answered was not flushed.
    expect(after.offsets).toEqual([2]);
    reply(after, 0);
    expect(after.offsets).toEqual([2, 3]);
  });

  it("frees the writes that waited for it, but sends them only over a connection", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    flow.submit(write(0, "first"), undefined);
    flow.submit(write(0, "second"), undefined);
    flow.lost();
    reply(before, 0);
    expect(before.sent).toHaveLength(1);
    const after = connect();
    reply(after, 0);
    expect(after.sent.map((entry) => String(entry.request.payload[0]?.bytes())).slice(0, 2)).toEqual([
      "first",
      "second",
    ]);
    expect(flow.open).toBe(true);
  });

  it("answers a READ before there is the next connection, and does not send it afterwards", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    const asked = read(1);
    flow.submit(asked, undefined);
    flow.lost();
    reply(before, 0);
    expect([asked.answers.length, flow.held]).toEqual([1, 0]);
    expect(connect().sent).toEqual([]);
  });

  it("does not take a READ of a range that is pinned, because what is read later may be older", () => {
    const { flow, connect, reply, answerable } = playFlow();
    const before = connect();
    const [apart, pinned] = [read(1), request({ offset: 1, length: 2 })];
    flow.submit(apart, undefined);
    flow.submit(pinned, undefined);
    flow.submit(write(2), undefined);
    flow.lost();
    reply(before, 0);
    reply(before, 1);
    expect([apart.answers.length, pinned.answers.length]).toEqual([1, 0]);
    // A second answer to it would be one too many.
    expect(answerable(before, before.sent[1] as InFlight)).toBe(false);
    const after = connect();
    reply(after, 0);
    expect(after.lines.slice(0, 2)).toEqual(["1/0 at 2+1", "0/0 at 1+2"]);
    reply(after, 1);
    expect(pinned.answers).toHaveLength(1);
  });

  it("has nobody to take it for once there is the next connection", () => {
    const { flow, connect, reply, answerable } = playFlow();
    const before = connect();
    const asked = request({ text: "abc", flags: COMMAND_FLAG.FUA });
    flow.submit(asked, undefined);
    flow.submit(write(50), undefined);
    flow.lost();
    const after = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    expect(after.lines).toEqual(["1/0 at 0+3", "1/0 at 50+1"]);
    expect(before.sent.map((entry) => answerable(before, entry))).toEqual([false, false]);
    flow.submit(read(9), undefined);
    reply(after, 0);
    reply(after, 1);
    expect(after.lines.slice(2)).toEqual(["0/0 at 9+1", "3/0 at 0+0"]);
    reply(after, 3);
    expect([asked.answers.length, flow.held]).toEqual([1, 1]);
  });

  it("has nobody to take it for when it was a step, which ends with its connection", () => {
    const { flow, connect, answerable } = playFlow();
    const poor = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    const asked = request({ text: "abc", flags: COMMAND_FLAG.FUA });
    flow.submit(asked, undefined);
    flow.lost();
    expect(answerable(poor, poor.sent[0] as InFlight)).toBe(false);
    expect(connect().lines).toEqual(["1/1 at 0+3"]);
  });

  it("has nobody to take it for once the request was given up, or dropped with its owner", () => {
    const { flow, connect, answerable } = playFlow();
    const before = connect();
    const owner = {};
    flow.submit(read(1), owner);
    flow.submit(write(2), undefined);
    flow.lost();
    flow.drop(owner, NBD_ERROR.ESHUTDOWN);
    flow.fail(NBD_ERROR.EIO);
    expect(before.sent.map((entry) => answerable(before, entry))).toEqual([false, false]);
  });
});

describe("RequestFlow with late answers, whatever happens", () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("submit" as const),
        command: fc.constantFrom(COMMAND.READ, COMMAND.WRITE, COMMAND.WRITE, COMMAND.FLUSH, COMMAND.TRIM),
        offset: fc.nat(12),
        length: fc.integer({ min: 1, max: 5 }),
        fua: fc.boolean(),
        owner: fc.nat(1),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("reply" as const), pick: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("late" as const), pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("lose" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("fail" as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("connect" as const), poor: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), owner: fc.nat(1) }) },
  );

  it("answers every request once, and keeps overlapping writes apart on every connection", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { flow, connect, answerable } = playFlow();
        const owners = [{}, {}];
        const asked: ReturnType<typeof request>[] = [];
        const retired: PlayedSession[] = [];
        let session: PlayedSession | undefined;
        const openAt = (one: PlayedSession): InFlight[] => one.sent.filter((entry) => answerable(one, entry));
        const answerAt = (one: PlayedSession | undefined, pick: number): void => {
          const open = one === undefined ? [] : openAt(one);
          const entry = open[pick % Math.max(1, open.length)];
          if (entry !== undefined) flow.replied(entry, DONE);
        };
        const lose = (): void => {
          if (session !== undefined) retired.push(session);
          session = undefined;
          flow.lost();
        };
        const connectNow = (poor: boolean): void => {
          const { SEND_FUA, SEND_TRIM } = TRANSMISSION_FLAG;
          session ??= connect(poor ? ALL_FLAGS & ~SEND_FUA & ~SEND_TRIM : ALL_FLAGS);
        };
        const submit = ({ command, offset, length, fua, owner }: Submission): void => {
          const fields = { flags: fua ? COMMAND_FLAG.FUA : 0, offset };
          const made =
            command === COMMAND.WRITE
              ? request({ ...fields, text: "x".repeat(length) })
              : request({ ...fields, command, length: command === COMMAND.FLUSH ? 0 : length });
          asked.push(made);
          flow.submit(made, owners[owner]);
        };
        for (const one of steps) {
          if (one.kind === "submit") submit(one);
          else if (one.kind === "reply") answerAt(session, one.pick);
          else if (one.kind === "late") answerAt(retired[one.pick % Math.max(1, retired.length)], one.pick);
          else if (one.kind === "lose") lose();
          else if (one.kind === "connect") connectNow(one.poor);
          else if (one.kind === "drop") flow.drop(owners[one.owner] as object, NBD_ERROR.ESHUTDOWN);
          else if (session === undefined) flow.fail(NBD_ERROR.EIO);
          if (session !== undefined) expectNoOverlap(openAt(session));
        }
        lose();
        const last = connect();
        while (openAt(last).length > 0) answerAt(last, 0);
        expect(flow.held).toBe(0);
        expect(asked.map(({ answers }) => answers.length)).toEqual(asked.map(() => 1));
      }),
      { numRuns: 500 },
    );
  });
});

interface Submission {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  readonly owner: number;
}

function expectNoOverlap(entries: readonly InFlight[]): void {
  const writes = entries.filter(({ writeLike }) => writeLike);
  for (const [index, one] of writes.entries()) {
    for (const other of writes.slice(index + 1)) {
      const overlap = one.offset < other.offset + other.length && other.offset < one.offset + one.length;
      expect(overlap, "overlapping writes at the server").toBe(false);
    }
  }
}
