import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const SIZE = 3 * 1024 * 1024 + 512;

/** Everything that an old-style session hears from a server, hello and replies, for the same requests each time. */
async function heardFrom(client: OldStyleClient, payload: Buffer): Promise<Buffer> {
  const { READ, WRITE, TRIM } = wire;
  return Buffer.concat([
    client.hello,
    await client.request({ command: WRITE, offset: 4096, payload }),
    await client.request({ command: READ, offset: 4000, length: payload.length + 200 }),
    await client.request({ command: TRIM, offset: 8192, length: 4096 }),
    await client.request({ command: READ, offset: SIZE - 512, length: 512 }),
  ]);
}

requires("nbdkit", "nbdinfo")("before an old-style nbdkit, the proxy", () => {
  it.each(["tcp", "unix"] as const)("gives its hello and its replies byte for byte (%s)", async (kind) => {
    const server = await startNbdkit({ plugin: ["memory", String(SIZE)], oldstyle: true });
    const proxy = await proxyBefore([server.uri], { kind });
    const payload = randomBytes(10_000);

    const direct = await OldStyleClient.connect(server.endpoint);
    const expected = await heardFrom(direct, payload);
    await direct.disconnect();
    const proxied = await OldStyleClient.connect(proxy.endpoint);
    const heard = await heardFrom(proxied, payload);
    await proxied.disconnect();

    expect(proxied.hello.toString("hex")).toBe(direct.hello.toString("hex"));
    expect(proxied.hello.readBigUInt64BE(16)).toBe(BigInt(SIZE));
    expect(heard.equals(expected)).toBe(true);
  });

  it("shows itself to nbdinfo as what the server is", async () => {
    const server = await startNbdkit({ plugin: ["memory", String(SIZE)], oldstyle: true, readOnly: true });
    const proxy = await proxyBefore([server.uri]);
    const withoutUri = (text: string): string => text.replaceAll(/^.*(?:uri:|nbd\S*:\/\/).*$/gm, "");
    const shown = await run("nbdinfo", proxy.uri);
    expect(shown).toContain("protocol: oldstyle");
    expect(shown).toContain("is_read_only: true");
    expect(withoutUri(shown)).toBe(withoutUri(await run("nbdinfo", server.uri)));
  });
});
