import { describe, expect, it } from "vitest";

import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { StatusAssembly } from "../../../src/upstream/status-assembly.ts";

const FRAME = {
  contextNames: new Map([
    [2, "base:allocation"],
    [1, "x-test:\u001b[2J"],
  ]),
  sizeBytes: 1000,
};
const REQUEST = { flags: 0, offset: 200, length: 100 };

/** Extents as they are on the wire, behind two other bytes. */
function wire(...values: number[]) {
  const view = new DataView(new ArrayBuffer(2 + 4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(2 + 4 * index, value);
  return [{ view }, 2, view.byteLength] as const;
}

describe("StatusAssembly", () => {
  it("has the extents of every context, in the order of the selection, wherever they are cut", () => {
    const assembly = new StatusAssembly(REQUEST, FRAME);
    assembly.begin(1);
    assembly.extents(...wire(50, 1, 50, 2));
    assembly.begin(2);
    assembly.extents(...wire(10, 3));
    assembly.extents(...wire(20, 0, 5, 1));
    assembly.extents(...wire());
    expect(assembly.finish()).toEqual([
      { context: "base:allocation", extents: Uint32Array.of(10, 3, 20, 0, 5, 1) },
      { context: "x-test:\u001b[2J", extents: Uint32Array.of(50, 1, 50, 2) },
    ]);
  });

  it("asks nothing of a server without contexts", () => {
    expect(new StatusAssembly(REQUEST, { ...FRAME, contextNames: new Map() }).finish()).toEqual([]);
  });

  it("may be told of everything up to the end of the export", () => {
    const assembly = new StatusAssembly(REQUEST, FRAME);
    assembly.begin(2);
    assembly.extents(...wire(400, 0, 400, 1));
    expect(() => assembly.extents(...wire(1, 0))).toThrow(
      new ProtocolViolation("an extent up to 1001, beyond the end of the export"),
    );
  });

  it("measures each context from the beginning of the request", () => {
    const assembly = new StatusAssembly(REQUEST, FRAME);
    for (const id of [2, 1]) {
      assembly.begin(id);
      assembly.extents(...wire(800, 0));
    }
    expect(assembly.finish()).toHaveLength(2);
  });

  it("does not stop checking where it stops keeping", () => {
    const assembly = new StatusAssembly({ ...REQUEST, flags: 8 }, FRAME);
    assembly.begin(2);
    assembly.extents(...wire(100, 0));
    expect(() => assembly.extents(...wire(0, 0))).toThrow(new ProtocolViolation("an extent without length"));
    expect(() => assembly.extents(...wire(701, 0))).toThrow("beyond the end of the export");
  });

  it("says which context is wrong, fit for a log line", () => {
    const assembly = new StatusAssembly(REQUEST, FRAME);
    expect(() => assembly.begin(3)).toThrow(
      new ProtocolViolation("block status of a context that was not selected, 3"),
    );
    assembly.begin(1);
    expect(() => assembly.begin(1)).toThrow('block status of "x-test:\\u{1b}[2J" twice');
    expect(() => assembly.finish()).toThrow('no block status of "base:allocation"');
  });
});
