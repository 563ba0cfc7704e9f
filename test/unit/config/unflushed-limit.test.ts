import { expect, it } from "vitest";

import { parseUnflushedLimit } from "../../../src/config/unflushed-limit.ts";

it.each([
  ["64M", 67_108_864],
  ["67108864", 67_108_864],
  ["128M", 134_217_728],
  ["64G", 68_719_476_736],
])("takes %s", (text, limitBytes) => {
  expect(parseUnflushedLimit(text)).toBe(limitBytes);
});

it.each([
  ["0", "is too little memory; the least is 64M"],
  ["67108863", "is too little memory; the least is 64M"],
  ["63M", "is too little memory; the least is 64M"],
  ["68719476737", "is too much memory; the most is 64G"],
  ["65G", "is too much memory; the most is 64G"],
  ["", "is not a size, like 65536, 64K, 128M or 2G"],
  ["off", "is not a size, like 65536, 64K, 128M or 2G"],
])("refuses %j, which %s", (text, message) => {
  expect(() => parseUnflushedLimit(text)).toThrow(expect.objectContaining({ name: "BadValue", message }));
});
