import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/manual-coverage.md"), "utf8");

/** What the original's manual page has sections for, as far as they promise something. */
const SECTIONS = [
  "Description",
  "Usage",
  "Options",
  "Logging",
  "Example",
  "Read cache",
  "Environment",
  "What were bugs",
];

const ROWS = [...PAGE.matchAll(/^\| (?!-|Promise |Then )(?<promise>.+?) \| (?<rest>.+) \|$/gm)].map(({ groups }) => ({
  promise: groups?.["promise"] ?? "",
  tests: [...(groups?.["rest"] ?? "").matchAll(/`(?<path>test\/[^`]+)`/g)].map((match) => match.groups?.["path"] ?? ""),
}));

describe("the table of the manual's promises", () => {
  it("has every section of the manual", () => {
    expect([...PAGE.matchAll(/^## (?<heading>.+)$/gm)].map((match) => match.groups?.["heading"])).toEqual(SECTIONS);
  });

  it("has many promises", () => {
    expect(ROWS.length).toBeGreaterThan(40);
  });

  it.each(ROWS)("names tests that exist: $promise", ({ tests }) => {
    expect(tests).not.toEqual([]);
    expect(tests.filter((path) => !path.endsWith(".test.ts") || !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
