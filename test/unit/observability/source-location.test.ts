import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, expect, it } from "vitest";

import { sourceLocation } from "../../../src/observability/source-location.ts";

const folder = mkdtempSync(join(tmpdir(), "source location (test) "));
afterAll(() => rmSync(folder, { recursive: true }));

/** One compiled file whose second line, from column 4 on, is line 42 of the source. */
function compiledFile(name: string, map: string): string {
  mkdirSync(join(folder, "dist", "upstream"), { recursive: true });
  const file = join(folder, "dist", "upstream", name);
  writeFileSync(`${file}.map`, map);
  return file;
}

const MAP = JSON.stringify({
  version: 3,
  file: "session.js",
  sourceRoot: "",
  sources: ["../../src/upstream/session.ts"],
  names: [],
  mappings: ";IAyCE",
});

it("is the place in the source that the map names, from the last src folder on", () => {
  const url = pathToFileURL(compiledFile("session.js", MAP)).href;
  expect(sourceLocation(`    at Session.open (${url}:2:9)`)).toBe("src/upstream/session.ts:42");
  expect(sourceLocation(`    at ${url}:2:5`)).toBe("src/upstream/session.ts:42");
  expect(sourceLocation(`    at async Promise.all (${url}:2:5)`)).toBe("src/upstream/session.ts:42");
});

it("is the place in the file itself when there is no map, or a broken one", () => {
  const broken = pathToFileURL(compiledFile("broken.js", "{ not json")).href;
  expect(sourceLocation(`    at open (${broken}:7:1)`)).toBe("broken.js:7");
  expect(sourceLocation("    at open (/nowhere/src/upstream/session.ts:120:3)")).toBe("src/upstream/session.ts:120");
  expect(sourceLocation("    at node:internal/timers:573:17")).toBe("timers:573");
});

it("is unknown when the frame names no file", () => {
  expect(sourceLocation("    at <anonymous>")).toBe("unknown:0");
  expect(sourceLocation("")).toBe("unknown:0");
});
