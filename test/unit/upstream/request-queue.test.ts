import { describe, expect, it } from "vitest";

import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { RequestQueue } from "../../../src/upstream/request-queue.ts";
import type { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { request } from "./requests.ts";

const SESSION = {} as UpstreamSession;

function setUp() {
  const freed: number[] = [];
  const ending: number[] = [];
  const queue = new RequestQueue({
    freed: ({ offset }) => freed.push(offset),
    ending: ({ offset }) => ending.push(offset),
  });
  const admit = (asked: ReturnType<typeof request>, owner?: object, kind: InFlight["kind"] = "user"): InFlight =>
    queue.admit(asked, owner, kind);
  return { queue, freed, ending, admit };
}

const write = (offset: number, text: string) => request({ text, offset });

describe("RequestQueue", () => {
  it("keeps overlapping writes back, in the order of admission, until the one before is answered", () => {
    const { queue, freed, admit } = setUp();
    const [first, second, third] = [write(0, "aaaa"), write(2, "bbbb"), write(4, "cccc")].map((one) => admit(one));
    admit(request({ offset: 0, length: 9 }));
    expect([first, second, third].map((entry) => entry?.ticket?.blocked)).toEqual([false, true, true]);
    queue.remove(first as InFlight);
    expect([freed, second?.ticket?.blocked, third?.ticket?.blocked]).toEqual([[2], false, true]);
    queue.remove(second as InFlight);
    expect([freed, queue.gateWaits]).toEqual([[2, 4], 2]);
  });

  it("can let those go that waited for a request that is not answered yet, and does so once", () => {
    const { queue, freed, admit } = setUp();
    const first = admit(write(0, "aaaa"));
    admit(write(0, "bbbb"));
    queue.release(first);
    expect([freed, first.ticket, queue.table.count]).toEqual([[0], undefined, 2]);
    queue.remove(first);
    expect([freed, queue.table.count]).toEqual([[0], 1]);
  });

  it("knows what waits to be sent, what is at the server, and which of these are reads", () => {
    const { queue, admit } = setUp();
    const [waits, isSent, flushed, step, read, status, cache, ownRead, stepRead] = [
      admit(write(0, "x")),
      admit(write(1, "x")),
      admit(write(2, "x")),
      admit(write(3, "x"), undefined, "step"),
      admit(request({ offset: 4, length: 1 })),
      admit(request({ command: COMMAND.BLOCK_STATUS, offset: 4, length: 1 })),
      admit(request({ command: COMMAND.CACHE, offset: 4, length: 1 })),
      admit(request({ offset: 5, length: 1 }), undefined, "own"),
      admit(request({ offset: 6, length: 1 }), undefined, "step"),
    ];
    if (flushed !== undefined) flushed.awaitsFlush = true;
    for (const entry of [isSent, read, status, cache, ownRead, stepRead])
      if (entry !== undefined) entry.session = SESSION;
    expect(queue.held()).toEqual([waits]);
    expect(queue.sent()).toEqual([isSent, read, status, cache, ownRead, stepRead]);
    expect(queue.reads()).toEqual([read, status, ownRead]);
    expect(step?.session).toBeUndefined();
  });

  it("answers without the server, after it was said, and in the order of admission", () => {
    const { queue, ending, admit } = setUp();
    const order: number[] = [];
    for (const offset of [3, 1, 2]) {
      admit(request({ text: "x", offset }, ({ error }) => order.push(offset, error, ending.length)));
    }
    queue.endAll(({ offset }) => offset !== 1, NBD_ERROR.EIO);
    expect([ending, order]).toEqual([
      [3, 2],
      [3, 5, 1, 2, 5, 2],
    ]);
    expect(queue.table.count).toBe(1);
  });

  it("drops what its owner left behind, but not what was sent, nor writes that may have been carried out", () => {
    const { queue, admit } = setUp();
    const [leaver, stayer] = [{}, {}];
    const asked = [
      write(0, "unsent"),
      write(10, "sent"),
      write(20, "sent before"),
      write(30, "theirs"),
      write(40, "saved"),
    ];
    const [, isSent, sentBefore, , saved] = asked.map((one, index) => admit(one, index === 3 ? stayer : leaver));
    const read = request({ offset: 50, length: 1 });
    const readBefore = admit(read, leaver);
    readBefore.sentBefore = true;
    if (isSent !== undefined) isSent.session = SESSION;
    for (const entry of [sentBefore, saved]) if (entry !== undefined) entry.sentBefore = true;
    // It was carried out, and only waits for a FLUSH.
    if (saved !== undefined) saved.awaitsFlush = true;
    queue.drop(leaver, NBD_ERROR.ESHUTDOWN);
    expect([...asked, read].map(({ answers }) => answers.map(({ error }) => error))).toEqual([
      [108],
      [],
      [],
      [],
      [108],
      [108],
    ]);
  });

  it("drops the latest first, so that none of its owner's is freed by another", () => {
    const { queue, freed, admit } = setUp();
    const leaver = {};
    const first = admit(write(0, "aaaa"));
    for (const offset of [1, 2]) admit(write(offset, "bbbb"), leaver);
    admit(write(5, "cccc"));
    queue.drop(leaver, NBD_ERROR.ESHUTDOWN);
    expect(freed).toEqual([5]);
    expect(first.ticket?.blocked).toBe(false);
  });

  it("has no ticket for what changes nothing", () => {
    const { admit } = setUp();
    for (const command of [COMMAND.READ, COMMAND.FLUSH, COMMAND.CACHE]) {
      expect(admit(request({ command, length: 4 })).ticket).toBeUndefined();
    }
    for (const command of [COMMAND.WRITE, COMMAND.TRIM, COMMAND.WRITE_ZEROES]) {
      expect(admit(request({ command, offset: 10 * command, length: 4 })).ticket).toBeDefined();
    }
  });
});
