import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ROOT } from "./support/build.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

describe("the package", () => {
  it("gives a working flexnbd-proxy when it is installed globally", async () => {
    const folder = await scratchFolder();
    // Without its scripts: dist/ stands already, and other tests are running it.
    const output = await run("npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder, ROOT);
    const [packed] = JSON.parse(output) as Packed[];
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(expect.arrayContaining(["dist/main.js", "package.json"]));
    expect(paths.filter((path) => /^(?:src|test|scripts|\.ci)\//.test(path))).toEqual([]);

    const prefix = join(folder, "prefix");
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
    await run("npm", "install", "--global", "--prefix", prefix, ...quiet, join(folder, packed?.filename ?? ""));
    const program = join(prefix, "bin", "flexnbd-proxy");
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await run(program, "--version")).toBe(`flexnbd-proxy ${version}\n`);
    expect(await run(program, "--help")).toMatch(/^Usage: flexnbd-proxy/);
    expect(await run(program, "serve", "--help")).toMatch(/^Usage: flexnbd-proxy serve/);
  }, 120_000);
});
