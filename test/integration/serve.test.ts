import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Endpoint } from "../../src/ports/network.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { uriOf } from "./support/endpoints.ts";
import { fioVerify } from "./support/fio.ts";
import { nbdsh } from "./support/nbdsh.ts";
import { listenArgs, startProgram, startProxy } from "./support/proxy-process.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import type { Spawned } from "./support/spawned.ts";

const SIZE = 8 * 1024 * 1024;

interface Served {
  readonly endpoint: Endpoint;
  readonly uri: string;
  readonly process: Spawned;
}

async function serve(kind: Endpoint["kind"], ...args: readonly string[]): Promise<Served> {
  const endpoint = await newEndpoint(kind);
  const process = await startProxy(endpoint, ["serve", ...listenArgs(endpoint), ...args]);
  return { endpoint, uri: uriOf(endpoint), process };
}

async function diskArgs(disk: string): Promise<string[]> {
  const args = disk.startsWith("memory") ? ["--memory", String(SIZE)] : ["--file", (await randomFile(SIZE)).path];
  return disk.endsWith("cache") ? [...args, "--write-cache"] : args;
}

const DISKS = [
  ["memory", "tcp"],
  ["memory", "unix"],
  ["file", "tcp"],
  ["file", "unix"],
  ["memory with a write cache", "tcp"],
  ["file with a write cache", "unix"],
] as const;

requires(
  "nbdinfo",
  "nbdcopy",
  "qemu-io",
  "fio",
)("serve", () => {
  it.each(DISKS)("is an NBD server for every client (%s, %s)", async (disk, kind) => {
    const { uri, process } = await serve(kind, ...(await diskArgs(disk)));
    expect(await run("nbdinfo", "--size", uri)).toBe(`${SIZE}\n`);
    expect(await run("nbdinfo", uri)).toContain("can_multi_conn: true");

    const folder = await scratchFolder();
    const content = randomBytes(SIZE);
    await writeFile(join(folder, "in"), content);
    await run("nbdcopy", "--flush", join(folder, "in"), uri);
    await run("nbdcopy", uri, join(folder, "out"));
    expect(content.equals(await readFile(join(folder, "out")))).toBe(true);

    const commands = [
      "write -P 1 4k 1M",
      "write -z 64k 64k",
      "discard 128k 64k",
      "flush",
      "read -P 0 64k 64k",
      "read -P 1 4k 60k",
    ];
    const said = await run("qemu-io", "-f", "raw", ...commands.flatMap((command) => ["-c", command]), uri);
    expect(said).not.toMatch(/failed|verification/i);
    await fioVerify(uri, `--size=${SIZE}`, "--iodepth=16", "--rw=randwrite", "--bs=4k");

    expect(await process.stop()).toEqual({ status: 0, signal: null });
    expect(process.stderr).toBe("");
  });

  it("offers its disk under a name", async () => {
    const { endpoint } = await serve("unix", "--memory", "1M", "--export", "a disk");
    expect(await run("nbdinfo", "--size", uriOf(endpoint, "a disk"))).toBe(`${1024 * 1024}\n`);
    await expect(run("nbdinfo", "--size", uriOf(endpoint, "another"))).rejects.toThrow(/exit status 1/);
  });
});

requires("nbdsh")("serve --file", () => {
  it.each(["flushed", "written with FUA"])("has in the file what was %s when it is killed", async (how) => {
    const { path, bytes } = await randomFile(SIZE);
    const { uri, process } = await serve("unix", "--file", path);
    const last =
      how === "flushed" ? "h.pwrite(b'x' * 4096, 8192); h.flush()" : "h.pwrite(b'x' * 4096, 8192, nbd.CMD_FLAG_FUA)";
    // The connection is still open, and nobody says good-bye.
    await nbdsh(uri, `import os\n${last}\nos.kill(${process.pid}, 9)`);
    expect(await process.exited()).toEqual({ status: null, signal: "SIGKILL" });
    const expected = Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(4096, "x"), bytes.subarray(12_288)]);
    expect(expected.equals(await readFile(path))).toBe(true);
  });

  it("stands behind the proxy, killed and started again", async () => {
    const { path } = await randomFile(SIZE);
    const { endpoint, process } = await serve("unix", "--file", path);
    const proxy = await proxyTo({ endpoint });
    await nbdsh(proxy.uri, "h.pwrite(b'a' * 512, 0)");
    await process.stop("SIGKILL");
    await startProxy(endpoint, ["serve", ...listenArgs(endpoint), "--file", path]);
    expect(
      await nbdsh(proxy.uri, "h.pwrite(b'b' * 512, 512); print(h.pread(1024, 0) == b'a' * 512 + b'b' * 512)"),
    ).toBe("True\n");
  });
});

requires("nbdsh")("serve --file --write-cache", () => {
  const block = (text: string): Buffer => Buffer.alloc(4096, text);
  const script = `
h.pwrite(b'a' * 4096, 0)
h.pwrite(b'b' * 4096, 4096)
h.flush()
h.pwrite(b'c' * 4096, 8192)
h.pwrite(b'd' * 4096, 12288, nbd.CMD_FLAG_FUA)
h.pwrite(b'B' * 4096, 4096)
assert h.pread(16384, 0) == b'a' * 4096 + b'B' * 4096 + b'c' * 4096 + b'd' * 4096
`;

  it("has in the file, when it is killed, what was flushed or written with FUA, and nothing else", async () => {
    const { path, bytes } = await randomFile(SIZE);
    const { uri, process } = await serve("unix", "--file", path, "--write-cache");
    await nbdsh(uri, `import os\n${script}\nos.kill(${process.pid}, 9)`);
    expect(await process.exited()).toEqual({ status: null, signal: "SIGKILL" });
    const kept = [block("a"), block("b"), bytes.subarray(8192, 12_288), block("d"), bytes.subarray(16_384)];
    expect(Buffer.concat(kept).equals(await readFile(path))).toBe(true);
  });

  it("has everything in the file when it is stopped", async () => {
    const { path, bytes } = await randomFile(SIZE);
    const { uri, process } = await serve("unix", "--file", path, "--write-cache");
    await nbdsh(uri, script);
    expect(await process.stop()).toEqual({ status: 0, signal: null });
    const all = [block("a"), block("B"), block("c"), block("d"), bytes.subarray(16_384)];
    expect(Buffer.concat(all).equals(await readFile(path))).toBe(true);
    expect(process.stderr).toBe("");
  });
});

describe("serve without a disk that can be had", () => {
  it("ends with one line and status 1", async () => {
    const path = join(await scratchFolder(), "nothing");
    const program = startProgram(["serve", ...listenArgs(await newEndpoint("unix")), "--file", path]);
    expect(await program.exited()).toEqual({ status: 1, signal: null });
    expect(program.stderr).toMatch(/^\d+:F:.*ENOENT.*\n$/);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });
});
