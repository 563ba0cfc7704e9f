// Compiles bench/ into dist-bench/ and runs it with the arguments given. It measures dist/, which must be built before.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, "dist-bench");
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
rmSync(output, { recursive: true, force: true });
const tsc = join(dirname(manifest), "bin", "tsc");
const built = spawnSync(process.execPath, [tsc, "-p", join(root, "bench", "tsconfig.json")], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
// In this process, so that a signal to it reaches the one who must end all the others.
await import(pathToFileURL(join(output, "main.js")).href);
