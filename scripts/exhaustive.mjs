// Runs every history up to a size: node scripts/exhaustive.mjs [--operations 3] [--faults 2] [--waits 1] [--jobs N]
// [--mutation NAME] [--all] [--replay WORKLOAD/CHOICES]. Compiles it into a temporary folder first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const build = mkdtempSync(join(tmpdir(), "exhaustive-"));
process.on("exit", () => rmSync(build, { recursive: true, force: true }));
const project = {
  extends: join(root, "tsconfig.json"),
  compilerOptions: { rootDir: root, outDir: build, typeRoots: [join(modules, "@types")] },
  include: [],
  files: [join(root, "test", "exhaustive", "exhaustive-command.ts")],
};
writeFileSync(join(build, "tsconfig.json"), JSON.stringify(project));
writeFileSync(join(build, "package.json"), JSON.stringify({ type: "module" }));
symlinkSync(modules, join(build, "node_modules"));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", join(build, "tsconfig.json")], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(build, "test", "exhaustive", "exhaustive-command.js")).href);
