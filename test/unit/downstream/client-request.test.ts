import { describe, expect, it } from "vitest";

import type { Reply } from "../../../src/disk.ts";
import { ClientRequest } from "../../../src/downstream/client-request.ts";
import { Slab } from "../../../src/transport/slab.ts";

const HEADER = { command: 1, flags: 1, cookieHigh: 2, cookieLow: 3, offset: 4, length: 10 };
const DONE: Reply = { error: 0, pieces: [], room: undefined };

function setUp(at = 0) {
  const slab = new Slab(Buffer.alloc(128));
  const answers: unknown[] = [];
  const owner = { answer: (...answer: unknown[]) => answers.push(answer) };
  const request = new ClientRequest(owner, HEADER, 10, slab, at);
  return { slab, request, answers };
}

describe("ClientRequest", () => {
  it("is what its header says, and offers the header's place as room for another", () => {
    const { slab, request } = setUp(8);
    expect(request).toMatchObject({ ...HEADER, reservedBytes: 10 });
    expect(request.room).toMatchObject({ slab, start: 36, end: 36, headroomBytes: 28 });
  });

  it("grows one slice by what follows directly, with the header's place as its headroom", () => {
    const { slab, request } = setUp(8);
    request.addPayload(slab, 36, 40);
    request.addPayload(slab, 40, 46);
    expect(request.payload).toHaveLength(1);
    expect(request.payload[0]).toMatchObject({ start: 36, end: 46, headroomBytes: 28 });
    expect(slab.references).toBe(2);
  });

  it("gives no headroom to payload that does not follow its header", () => {
    const { slab, request } = setUp();
    const other = new Slab(Buffer.alloc(128));
    request.addPayload(other, 28, 30);
    request.addPayload(slab, 28, 36);
    expect(request.payload.map(({ headroomBytes }) => headroomBytes)).toEqual([0, 0]);
  });

  it("holds the memory of its payload until it is completed", () => {
    const { slab, request, answers } = setUp();
    const other = new Slab(Buffer.alloc(128));
    request.addPayload(slab, 28, 33);
    request.addPayload(other, 0, 5);
    expect([slab.references, other.references]).toEqual([2, 2]);
    request.complete(DONE);
    expect([slab.references, other.references, request.payload.length]).toEqual([1, 1, 0]);
    expect(answers).toEqual([[request, DONE]]);
  });

  it("asserts that it is completed once", () => {
    const { request } = setUp();
    request.complete(DONE);
    expect(() => request.complete(DONE)).toThrow("a request was completed twice");
  });
});
