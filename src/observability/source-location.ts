import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Maps of the files seen so far; undefined for a file that has none. */
const maps = new Map<string, SourceMap | undefined>();
/** Locations by frame: a place that logs is looked up once. */
const locations = new Map<string, string>();

/**
 * Where the code of a stack frame stands in the TypeScript source, as `src/upstream/session.ts:120`. The frame is a line
 * of `error.stack`. A file without a source map speaks for itself; a frame that names no file is `unknown:0`.
 */
export function sourceLocation(frame: string): string {
  let location = locations.get(frame);
  if (location === undefined) {
    location = locate(frame);
    locations.set(frame, location);
  }
  return location;
}

function locate(frame: string): string {
  const found = /^\s*at (?:.*? \()?(?<file>.+):(?<line>\d+):(?<column>\d+)\)?$/.exec(frame)?.groups;
  if (found === undefined) return "unknown:0";
  const { file: where = "", line = "0", column = "0" } = found;
  const file = where.startsWith("file:") ? fileURLToPath(where) : where;
  const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
  // An engine that applies source maps to stacks itself names the .ts file, for which there is no map to find.
  if (entry === undefined || !("originalSource" in entry)) return `${shortName(file)}:${line}`;
  return `${shortName(resolve(dirname(file), entry.originalSource))}:${entry.originalLine + 1}`;
}

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")) as SourceMapPayload);
  } catch {
    // No map, or a broken one: a log line is no reason to fail.
    return undefined;
  }
}

/** From the last `src` folder on: the path in the repository, wherever the program is installed. */
function shortName(path: string): string {
  return /.*\/(?<inside>src\/.+)$/.exec(path)?.groups?.["inside"] ?? basename(path);
}
