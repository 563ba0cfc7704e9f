import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { RawPeer } from "./support/raw-peer.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const GREETING_BYTES = 18;

requires("nbdkit", "nbdinfo")("--allow", () => {
  it("lets clients from its ranges in, and hangs up on others without a word", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"] });
    const args = ["--allow", "127.0.0.2/32", "--allow", "127.1.2.0/24", "--allow", "2001:db8::/32"];
    const proxy = await proxyBefore([server.uri], { kind: "tcp", args });

    await expect(run("nbdinfo", proxy.uri)).rejects.toThrow(/exit status 1/);
    for (const stranger of ["127.0.0.1", "127.0.0.3", "127.1.3.1"]) {
      expect(await RawPeer.connect(proxy.endpoint, stranger).takeAll()).toHaveLength(0);
      await proxy.process.untilStderr(new RegExp(`:W:.*client ${stranger}:\\d+: not allowed`));
    }
    for (const friend of ["127.0.0.2", "127.1.2.3"]) {
      const peer = RawPeer.connect(proxy.endpoint, friend);
      expect((await peer.take(GREETING_BYTES)).toString("latin1", 0, 8)).toBe("NBDMAGIC");
      peer.socket.destroy();
    }
  });
});
