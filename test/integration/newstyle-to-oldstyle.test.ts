import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const SIZE = 4 * 1024 * 1024;

requires(
  "nbdkit",
  "nbdinfo",
  "nbdcopy",
  "qemu-io",
)("--handshake=oldstyle before a new-style nbdkit", () => {
  it("lets old clients in", async () => {
    const server = await startNbdkit({ plugin: ["memory", String(SIZE)], exportName: "disk" });
    const proxy = await proxyBefore([server.uri], { kind: "tcp", args: ["--handshake=oldstyle"] });
    expect(await run("nbdinfo", server.uri)).toContain("newstyle");

    const shown = await run("nbdinfo", proxy.uri);
    expect(shown).toContain("protocol: oldstyle");
    expect(shown).toMatch(/can_flush: true/);
    expect(shown).toMatch(/can_fua: true/);

    const client = await OldStyleClient.connect(proxy.endpoint);
    expect(client.hello.readBigUInt64BE(16)).toBe(BigInt(SIZE));
    const payload = randomBytes(100_000);
    await client.write(12_345, payload);
    expect((await client.read(12_345, payload.length)).equals(payload)).toBe(true);
    await client.disconnect();

    // qemu and libnbd know both styles.
    await run(
      "qemu-io",
      "-f",
      "raw",
      "-c",
      "write -P 0x77 1M 64k",
      "-c",
      "flush",
      "-c",
      "read -P 0x77 1M 64k",
      proxy.uri,
    );
    await run("qemu-io", "-f", "raw", "-c", "read -P 0x77 1M 64k", server.uri);
  });
});
