import { expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseFilePath } from "../../../src/config/file-path.ts";

it("takes a path as it is", () => {
  expect(parseFilePath("./disk image")).toBe("./disk image");
});

it.each(["", "a\0b"])("refuses %j, which no file can have", (text) => {
  expect(() => parseFilePath(text)).toThrow(BadValue);
});
