import { stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import type { Endpoint } from "../../../src/ports/network.ts";
import { isListening } from "./endpoints.ts";
import { freeEndpoint } from "./free-port.ts";
import { startNbdServer } from "./nbd-server-server.ts";
import { startNbdkit } from "./nbdkit-server.ts";
import { startQemuNbd } from "./qemu-nbd-server.ts";
import type { RealServer } from "./real-server.ts";
import { requires } from "./requires.ts";
import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";

const SIZE = 8 * 1024 * 1024;

type Start = (path: string, endpoint: Endpoint) => Promise<RealServer>;

const servers: readonly (readonly [string, Start])[] = [
  ["nbdkit", (path, endpoint) => startNbdkit({ plugin: ["file", path], filters: ["cache"], endpoint })],
  ["qemu-nbd", (path, endpoint) => startQemuNbd({ path, endpoint, exportName: "a b" })],
  ["nbd-server", (path, endpoint) => startNbdServer({ path, endpoint })],
];

for (const [program, start] of servers) {
  requires(program, "nbdinfo")(`the support for ${program}`, () => {
    it.each(["tcp", "unix"])("starts it, ends it and starts it again at the same endpoint (%s)", async (kind) => {
      const folder = await scratchFolder();
      const path = join(folder, "disk");
      await writeFile(path, "");
      await truncate(path, SIZE);
      const endpoint: Endpoint = kind === "unix" ? { kind, path: join(folder, "socket") } : await freeEndpoint();
      const server = await start(path, endpoint);
      for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
        expect(await run("nbdinfo", "--size", server.uri)).toBe(`${SIZE}\n`);
        await server.stop(signal);
        expect(await isListening(endpoint)).toBe(false);
        await expect(run("nbdinfo", "--size", server.uri)).rejects.toThrow(/exit status 1/);
        await server.start();
      }
      expect(await run("nbdinfo", "--size", server.uri)).toBe(`${SIZE}\n`);
    });
  });
}

requires("nbdkit", "nbdinfo")("the support for nbdkit", () => {
  it("starts an old-style server", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"], oldstyle: true });
    expect(await run("nbdinfo", server.uri)).toContain("protocol: oldstyle");
  });

  it("tells what the server said when it does not start", async () => {
    await expect(startNbdkit({ plugin: ["file", "/nonexistent"] })).rejects.toThrow(/nbdkit: .*\/nonexistent/);
  });
});

requires("nbdkit")("a scratch folder", () => {
  let folder = "";
  it("is there for the test that made it", async () => {
    folder = await scratchFolder();
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
  it("is gone in the next", async () => {
    await expect(stat(folder)).rejects.toThrow("ENOENT");
  });
});
