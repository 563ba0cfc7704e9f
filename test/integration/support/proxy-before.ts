import { join } from "node:path";

import type { Endpoint } from "../../../src/ports/network.ts";
import { uriOf } from "./endpoints.ts";
import { freeEndpoint } from "./free-port.ts";
import { listenArgs, startProxy } from "./proxy-process.ts";
import { scratchFolder } from "./scratch-folder.ts";
import type { Spawned } from "./spawned.ts";

/** A running proxy, and where its clients find it. */
export interface ProxyBefore {
  readonly process: Spawned;
  readonly endpoint: Endpoint;
  readonly uri: string;
}

/** How such a proxy is run. */
export interface ProxyBeforeOptions {
  /** The listening side; a UNIX socket when absent. */
  readonly kind?: Endpoint["kind"];
  /** The name that clients ask for; the servers' URIs must have it as well. */
  readonly exportName?: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the proxy in front of one server, or of several that lead to the same storage, given by their URIs. */
export async function proxyBefore(
  serverUris: readonly string[],
  { kind = "unix", exportName = "", args = [], environment = {} }: ProxyBeforeOptions = {},
): Promise<ProxyBefore> {
  const endpoint: Endpoint =
    kind === "tcp" ? await freeEndpoint() : { kind, path: join(await scratchFolder(), "socket") };
  const upstreams = serverUris.flatMap((uri) => ["--upstream", uri]);
  const process = await startProxy(endpoint, [...listenArgs(endpoint), ...upstreams, ...args], environment);
  return { process, endpoint, uri: uriOf(endpoint, exportName) };
}
