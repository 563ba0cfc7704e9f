import { expect, it } from "vitest";

import { oneLine } from "../../../src/observability/one-line.ts";

it("leaves printable text alone, whatever its script", () => {
  const text = 'connected to "größe/磁盘" \\n 😀';
  expect(oneLine(text)).toBe(text);
});

it("writes line ends and tabs as they are written in source code", () => {
  expect(oneLine("a\r\n\tb")).toBe("a\\r\\n\\tb");
});

it("leaves no control character, line separator or direction mark of all there are", () => {
  const all = String.fromCharCode(...Array.from({ length: 0x10000 }, (_, code) => code));
  expect(oneLine(all)).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u);
  expect(oneLine("\u001b[31m\u0000\u009b\u2028\u202e")).toBe("\\u001b[31m\\u0000\\u009b\\u2028\\u202e");
});
