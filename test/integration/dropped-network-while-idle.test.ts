import { it } from "vitest";

import { diskImage } from "./support/disk-image.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { TwoHosts, requiresTwoHosts } from "./support/two-hosts.ts";

requiresTwoHosts()("with --idle-ping, a network that drops everything while nobody asks anything", () => {
  it("is noticed, and there is a connection again before the next request", async () => {
    const hosts = await TwoHosts.create();
    await hosts.startServer(await diskImage(1024 * 1024));
    const proxy = await hosts.startProxy("--idle-ping=500ms", "--upstream-timeout=1", "--handshake=oldstyle");

    await hosts.cut();
    await proxy.process.untilStderr(/:W:.*silent while requests wait[^]*can't connect/);
    await hosts.mend();
    await proxy.process.untilStderr(/heard again|connected again/);

    const client = await OldStyleClient.connect(proxy.endpoint);
    await client.read(0, 512);
    await client.disconnect();
  });
});
