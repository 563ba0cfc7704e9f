// Compiles TypeScript outside src/ for a run of it, into a temporary folder that goes when the process ends.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Compiles what this file, given from the root of the project, needs. Returns the URL of the result; ends the process on
 * errors.
 * @param {string} entry
 */
export function compiled(entry) {
  const modules = join(root, "node_modules");
  const build = mkdtempSync(join(tmpdir(), "flexnbd-proxy-build-"));
  process.on("exit", () => rmSync(build, { recursive: true, force: true }));
  const project = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { rootDir: root, outDir: build, typeRoots: [join(modules, "@types")] },
    include: [],
    files: [join(root, entry)],
  };
  writeFileSync(join(build, "tsconfig.json"), JSON.stringify(project));
  writeFileSync(join(build, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(modules, join(build, "node_modules"));
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(build, "tsconfig.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  return pathToFileURL(join(build, entry.replace(/\.ts$/, ".js")));
}

/**
 * Compiles it and runs it in this process, so that a signal reaches the one who must end all others.
 * @param {string} entry
 */
export async function runCompiled(entry) {
  const url = compiled(entry);
  process.setSourceMapsEnabled(true);
  await import(url.href);
}
