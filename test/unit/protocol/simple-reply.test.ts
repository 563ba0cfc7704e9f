import { describe, expect, it } from "vitest";

import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { encodeSimpleReply, knownError } from "../../../src/protocol/simple-reply.ts";
import { replyBytes } from "../support/naive-codec.ts";

describe("encodeSimpleReply", () => {
  it("writes what a naive codec writes, and touches nothing around it", () => {
    const bytes = Buffer.alloc(20, 0xee);
    encodeSimpleReply(new DataView(bytes.buffer, bytes.byteOffset, 20), 2, 0xffff_fffe, 0x89abcdef, 0xfedcba98);
    const naive = replyBytes({ error: 0xffff_fffe, cookie: 0x89abcdef_fedcba98n });
    expect(bytes.toString("hex")).toBe(`eeee${naive.toString("hex")}eeee`);
  });
});

describe("knownError", () => {
  it.each([0, ...Object.values(NBD_ERROR)])("passes %i on", (error) => {
    expect(knownError(error)).toBe(error);
  });

  it.each([2, 11, 13, 30, 107, 122, 0x8000_0000, 0xffff_ffff])(
    "counts %i, which the text does not name, as EINVAL",
    (error) => {
      expect(knownError(error)).toBe(NBD_ERROR.EINVAL);
    },
  );
});
