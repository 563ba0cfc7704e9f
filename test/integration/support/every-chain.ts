import { it } from "vitest";

import type { Endpoint } from "../../../src/ports/network.ts";
import { expectQuietEnd, newEndpoint, proxyTo } from "./chain.ts";
import type { RunningProxy, SocketKind } from "./chain.ts";
import { startNbdServer } from "./nbd-server-server.ts";
import { startNbdkit } from "./nbdkit-server.ts";
import { startQemuNbd } from "./qemu-nbd-server.ts";
import { randomFile } from "./random-file.ts";
import type { RealServer } from "./real-server.ts";
import { requires } from "./requires.ts";

/** A real server of a file, and a proxy in front of it. */
export interface Chain {
  readonly program: string;
  readonly server: RealServer;
  readonly proxy: RunningProxy;
  readonly exportName: string;
  /** The file behind the server's disk. */
  readonly path: string;
  /** What was in the file at first. */
  readonly content: Buffer;
}

type Start = (path: string, endpoint: Endpoint, exportName: string) => Promise<RealServer>;

const SERVERS: readonly (readonly [program: string, exportName: string, start: Start])[] = [
  ["nbdkit", "", (path, endpoint) => startNbdkit({ plugin: ["file", path], endpoint })],
  ["qemu-nbd", "a disk", (path, endpoint, exportName) => startQemuNbd({ path, endpoint, exportName })],
  ["nbd-server", "disk", (path, endpoint, exportName) => startNbdServer({ path, endpoint, exportName })],
];

const KINDS: readonly SocketKind[] = ["tcp", "unix"];

/**
 * Declares a test for every server, over TCP and over UNIX sockets on both sides: a file of `sizeBytes` random bytes is
 * behind the server, and the proxy is expected to have nothing to say at the default log level.
 */
export function everyChain(
  what: string,
  { clients, sizeBytes }: { readonly clients: readonly string[]; readonly sizeBytes: number },
  body: (chain: Chain) => Promise<void>,
): void {
  for (const [program, exportName, start] of SERVERS) {
    requires(program, ...clients)(`before ${program}, the proxy`, () => {
      it.each(KINDS)(`${what} (%s)`, async (kind) => {
        const { path, bytes: content } = await randomFile(sizeBytes);
        const server = await start(path, await newEndpoint(kind), exportName);
        const proxy = await proxyTo(server, { kind, exportName });
        await body({ program, server, proxy, exportName, path, content });
        await expectQuietEnd(proxy);
      });
    });
  }
}
