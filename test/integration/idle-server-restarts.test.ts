import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { diskImage } from "./support/disk-image.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";

const AGAIN = /connected again/g;

requires("nbdkit")("a server that is killed while nobody asks anything, and started again", () => {
  it.each(["with a client", "without a client"])("is connected to before the next request (%s)", async (who) => {
    const path = await diskImage(1024 * 1024);
    const server = await startNbdkit({ plugin: ["file", path] });
    const proxy = await proxyBefore([server.uri], { args: ["--handshake=oldstyle"] });
    const attached = who === "with a client" ? await OldStyleClient.connect(proxy.endpoint) : undefined;
    const content = Buffer.alloc(4096, 0x42);
    await attached?.write(0, content);

    for (const round of [1, 2]) {
      await server.stop("SIGKILL");
      await proxy.process.until("to notice", () => proxy.process.stderr.split("connection lost").length > round);
      await server.start();
      await proxy.process.until("to be back", () => proxy.process.stderr.match(AGAIN)?.length === round);
    }

    const client = attached ?? (await OldStyleClient.connect(proxy.endpoint));
    const expected = attached === undefined ? Buffer.alloc(4096) : content;
    expect((await client.read(0, 4096)).equals(expected)).toBe(true);
    await client.disconnect();
    expect(proxy.process.stderr.match(AGAIN)).toHaveLength(2);
  });
});
