import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The root of the project. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds dist/ once before the integration tests, which run what users run. */
export default function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: ROOT, stdio: "inherit" });
}
