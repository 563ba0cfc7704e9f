// Builds dist/ from src/: plain compiler output, one file for one file, and an executable entry point.
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(dirname(manifest), "bin", "tsc");
const built = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.json")], {
  stdio: "inherit",
});
if (built.status !== 0) process.exit(built.status ?? 1);
chmodSync(join(root, "dist", "main.js"), 0o755);
