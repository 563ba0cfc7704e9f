import { expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { uriOf } from "./support/endpoints.ts";
import { startNbdServer } from "./support/nbd-server-server.ts";
import { NotLetIn, PlainClient } from "./support/plain-client.ts";
import { listenArgs, startProxy } from "./support/proxy-process.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const SIZE = 64 * 1024;

const SERVERS = [
  ["qemu-nbd", "ein Wörterbuch/1", (path: string, exportName: string) => startQemuNbd({ path, exportName })],
  ["nbd-server", "second", (path: string, exportName: string) => startNbdServer({ path, exportName })],
] as const;

for (const [program, exportName, start] of SERVERS) {
  requires(program, "nbdinfo")(`with a named export of ${program}, the proxy`, () => {
    it("asks for it, and serves it under its name and as the default", async () => {
      const { path, bytes } = await randomFile(SIZE);
      const server = await start(path, exportName);
      const { endpoint } = await proxyTo(server, { exportName });
      for (const name of [exportName, ""]) {
        expect(await run("nbdinfo", "--size", uriOf(endpoint, name))).toBe(`${SIZE}\n`);
        const client = await PlainClient.connect(endpoint, name);
        expect((await client.read(0, SIZE)).equals(bytes)).toBe(true);
        await client.disconnect();
      }
      expect(await run("nbdinfo", "--list", uriOf(endpoint))).toContain(`export="${exportName}"`);
    });

    it("refuses any other name", async () => {
      const { path } = await randomFile(SIZE);
      const { endpoint } = await proxyTo(await start(path, exportName), { exportName });
      const refused = await PlainClient.connect(endpoint, "another").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(NotLetIn);
      expect(refused).toMatchObject({ reply: 0x80000006 });
      await expect(run("nbdinfo", uriOf(endpoint, "another"))).rejects.toThrow(/exit status 1/);
      expect((await (await PlainClient.connect(endpoint)).request({ command: wire.READ, length: 512 })).error).toBe(0);
    });
  });
}

requires("qemu-nbd", "nbdinfo")("with --upstream, the proxy", () => {
  it.each(["tcp", "unix"] as const)("finds server and export in the URI (%s)", async (kind) => {
    const { path } = await randomFile(SIZE);
    const server = await startQemuNbd({ path, exportName: "a disk", endpoint: await newEndpoint(kind) });
    const endpoint = await newEndpoint("unix");
    await startProxy(endpoint, [...listenArgs(endpoint), "--upstream", server.uri]);
    expect(await run("nbdinfo", "--size", uriOf(endpoint, "a disk"))).toBe(`${SIZE}\n`);
  });
});
