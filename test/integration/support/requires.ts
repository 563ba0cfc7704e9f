import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";

/** Declares a suite, as `describe(name, body)` does. */
export type DeclareSuite = (name: string, body: () => void) => void;

/**
 * A `describe` for suites that need these programs. Where one is missing the suite is skipped with a loud line; with
 * CI=true it fails, since there a peer that is not installed must not look like a test that passed.
 */
export function requires(...programs: readonly string[]): DeclareSuite {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return describe;
  const reason = `not installed: ${missing.join(", ")}`;
  return (name, body) => {
    if (process.env["CI"] === "true") {
      describe(name, () => {
        it("has the programs that it needs", () => {
          throw new Error(reason);
        });
      });
    } else {
      process.stderr.write(`\n*** SKIPPED "${name}": ${reason} ***\n\n`);
      describe.skip(name, body);
    }
  };
}

function isInstalled(program: string): boolean {
  // The PATH of an ordinary user may lack where Debian keeps nbd-client.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
