import { describe, expect, it } from "vitest";

import { isContextName } from "../../../src/protocol/metadata-context.ts";

describe("isContextName", () => {
  it.each(["base:allocation", "qemu:dirty-bitmap:a", "x-a::b", "x-a: ", "x-ä:\n", "x-a:b:c"])("takes %j", (name) => {
    expect(isContextName(name)).toBe(true);
  });

  it.each(["", ":", "::", ":a", "a", "a:", "a:b:", "base:"])("does not take %j", (name) => {
    expect(isContextName(name)).toBe(false);
  });
});
