import { describe, expect, it } from "vitest";

import type { Operation } from "../../../campaign/operation.ts";
import { UnflushedWrites } from "../../../campaign/unflushed-writes.ts";

function answered(kind: Operation["kind"], start: number, end: number, more: Partial<Operation> = {}): Operation {
  return { kind, firstBlock: 0, blocks: 2, fua: false, value: 0, start, end, error: 0, ...more };
}

describe("UnflushedWrites", () => {
  it("counts what was acknowledged until a FLUSH that was sent later is acknowledged", () => {
    const unflushed = new UnflushedWrites();
    unflushed.answered(answered("write", 1, 2));
    unflushed.answered(answered("zeroes", 3, 6));
    expect(unflushed.bytes).toBe(2048);
    unflushed.answered(answered("flush", 5, 7));
    expect(unflushed.bytes).toBe(1024);
    unflushed.answered(answered("flush", 8, 9));
    expect(unflushed.bytes).toBe(0);
  });

  it("counts nothing that failed, was written with FUA or gives no content", () => {
    const unflushed = new UnflushedWrites();
    unflushed.answered(answered("write", 1, 2, { error: 28 }));
    unflushed.answered(answered("write", 1, 2, { fua: true }));
    unflushed.answered(answered("trim", 1, 2));
    unflushed.answered(answered("read", 1, 2));
    expect(unflushed.bytes).toBe(0);
  });

  it("takes no notice of a FLUSH that failed", () => {
    const unflushed = new UnflushedWrites();
    unflushed.answered(answered("write", 1, 2));
    unflushed.answered(answered("flush", 3, 4, { error: 28 }));
    expect(unflushed.bytes).toBe(1024);
  });
});
