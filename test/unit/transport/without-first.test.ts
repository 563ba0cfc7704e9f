import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutFirst } from "../../../src/transport/without-first.ts";

describe("chunks without their first bytes", () => {
  it("are the rest of the same bytes, however they are cut, without empty chunks in front", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 6 }),
        fc.nat(60),
        (parts, wish) => {
          const chunks = parts.map((part) => Buffer.from(part));
          const whole = Buffer.concat(chunks);
          const count = Math.min(wish, whole.length);
          const rest = withoutFirst(chunks, count);
          expect(Buffer.concat([...rest])).toEqual(whole.subarray(count));
          expect(rest.every((chunk) => chunk.length > 0)).toBe(true);
        },
      ),
    );
  });
});
