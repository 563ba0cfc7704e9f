import assert from "node:assert";
import { createRequire } from "node:module";

/** The program's version, from the manifest, which lies two folders up from the sources and from the compiled code. */
export function programVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)("../../package.json");
  assert(typeof manifest === "object" && manifest !== null && "version" in manifest, "no version in package.json");
  assert(typeof manifest.version === "string", "the version in package.json is not a string");
  return manifest.version;
}
