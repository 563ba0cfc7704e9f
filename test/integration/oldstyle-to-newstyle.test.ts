import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const SIZE = 4 * 1024 * 1024;

requires(
  "nbdkit",
  "nbdinfo",
  "nbd-client",
  "qemu-io",
)("--handshake=newstyle before an old-style nbdkit", () => {
  it("lets today's clients in", async () => {
    const server = await startNbdkit({ plugin: ["memory", String(SIZE)], oldstyle: true });
    const proxy = await proxyBefore([server.uri], { kind: "tcp", args: ["--handshake=newstyle"] });
    if (proxy.endpoint.kind !== "tcp" || server.endpoint.kind !== "tcp") throw new Error("not TCP");

    const shown = await run("nbdinfo", proxy.uri);
    expect(shown).toContain("protocol: newstyle-fixed without TLS");
    expect(await run("nbdinfo", "--size", proxy.uri)).toBe(`${SIZE}\n`);

    // The reason for all this: nbd-client gives up at the server itself.
    await expect(run("nbd-client", "-l", "127.0.0.1", String(server.endpoint.port))).rejects.toThrow(
      /oldstyle|old.style/i,
    );
    expect(await run("nbd-client", "-l", "127.0.0.1", String(proxy.endpoint.port))).toContain("Negotiation: ..");

    const io = ["write -P 0x5a 64k 128k", "write -P 0xa5 100k 4k", "read -P 0x5a 64k 36k", "read -P 0xa5 100k 4k"];
    // An old-style nbdkit refuses the FUA and the FLUSH that it offers, asked directly as well; this cache mode sends neither.
    const output = await run(
      "qemu-io",
      "-f",
      "raw",
      "-t",
      "unsafe",
      ...io.flatMap((command) => ["-c", command]),
      proxy.uri,
    );
    expect(output).not.toMatch(/error|fail|verification/i);
    expect(await run("qemu-io", "-f", "raw", "-c", "read -P 0xa5 100k 4k", server.uri)).not.toMatch(/fail/);
  });
});
