import { expect, it } from "vitest";

import { proxyTo } from "./support/chain.ts";
import { NbdshSession } from "./support/nbdsh-session.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { requires } from "./support/requires.ts";
import { sparseImage } from "./support/sparse-image.ts";

const SHOW = `
def chunk(data, offset, status, error): print("chunk", offset, len(data), bytes(data[:1]))
h.pread_structured(8192, 0, chunk)
h.pread_structured(8192, 0, chunk, nbd.CMD_FLAG_DF)
`;
const SHOWN = "chunk 0 8192 b'\\xa5'\n".repeat(2);
const EXTENTS = `
def extents(context, offset, entries, error): print(context, offset, entries)
h.block_status(h.get_size(), 0, extents)
`;

requires("nbdkit", "nbdsh")("a server that comes back without structured replies", () => {
  it("serves a client that has negotiated them, and no contexts", async () => {
    const options = { plugin: ["file", await sparseImage()] };
    const server = await startNbdkit(options);
    const proxy = await proxyTo(server);
    const session = await NbdshSession.start(proxy.uri);
    await session.run("h.connect_uri(uri)\nassert h.get_structured_replies_negotiated() and h.can_df()");
    expect(await session.run(SHOW)).toBe(SHOWN);
    await server.stop("SIGKILL");
    await startNbdkit({ ...options, endpoint: server.endpoint, simpleReplies: true });
    expect(await session.run(SHOW)).toBe(SHOWN);
    expect(proxy.process.stderr).toContain("connected again");
  });

  it("is refused as long as a client uses base:allocation", async () => {
    const options = { plugin: ["file", await sparseImage()] };
    const server = await startNbdkit(options);
    const proxy = await proxyTo(server);
    const session = await NbdshSession.start(proxy.uri);
    await session.run('h.add_meta_context("base:allocation")\nh.connect_uri(uri)');
    const shown = await session.run(EXTENTS);
    await server.stop("SIGKILL");
    const other = await startNbdkit({ ...options, endpoint: server.endpoint, simpleReplies: true });
    await proxy.process.untilStderr(/can't connect: .*base:allocation/);
    const again = session.begin(EXTENTS);
    await other.stop("SIGKILL");
    await server.start();
    expect(await again()).toBe(shown);
  });
});

requires("nbdkit", "nbdsh")("a server that never had structured replies", () => {
  it("is behind a proxy that has, without contexts", async () => {
    const server = await startNbdkit({ plugin: ["file", await sparseImage()], simpleReplies: true });
    const proxy = await proxyTo(server);
    const session = await NbdshSession.start(proxy.uri);
    await session.run('h.add_meta_context("base:allocation")\nh.connect_uri(uri)');
    expect(await session.run(SHOW)).toBe(SHOWN);
    expect(await session.run('print(h.can_meta_context("base:allocation"))')).toBe("False\n");
  });
});
