import { join } from "node:path";
import { expect } from "vitest";

import type { Endpoint } from "../../../src/ports/network.ts";
import { uriOf } from "./endpoints.ts";
import { freeEndpoint } from "./free-port.ts";
import { listenArgs, serverArgs, startProxy } from "./proxy-process.ts";
import { scratchFolder } from "./scratch-folder.ts";
import type { Spawned } from "./spawned.ts";

/** How a socket is reached. */
export type SocketKind = Endpoint["kind"];

/** What is asked of the proxy beside where to listen and where the server is. */
export interface ProxyOptions {
  /** The listening side; `unix` when absent. */
  readonly kind?: SocketKind;
  readonly exportName?: string;
  /** More options of the program. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running proxy and where its clients find it. */
export interface RunningProxy {
  readonly process: Spawned;
  readonly endpoint: Endpoint;
  /** The NBD URI of its export. */
  readonly uri: string;
}

/** An endpoint that nobody uses: a port that the kernel chose, or a socket in a new folder. */
export async function newEndpoint(kind: SocketKind): Promise<Endpoint> {
  return kind === "tcp" ? freeEndpoint() : { kind, path: join(await scratchFolder(), "socket") };
}

/** Starts the proxy in front of a server, on an endpoint of its own. */
export async function proxyTo(
  server: { readonly endpoint: Endpoint },
  options: ProxyOptions = {},
): Promise<RunningProxy> {
  const endpoint = await newEndpoint(options.kind ?? "unix");
  const { exportName = "" } = options;
  const exportArgs = exportName === "" ? [] : ["--export", exportName];
  const args = [...listenArgs(endpoint), ...serverArgs(server.endpoint), ...exportArgs, ...(options.args ?? [])];
  const process = await startProxy(endpoint, args, options.environment);
  return { process, endpoint, uri: uriOf(endpoint, exportName) };
}

/** Stops a proxy at the default log level whose server never went away: it had nothing to say. */
export async function expectQuietEnd(proxy: RunningProxy): Promise<void> {
  const outcome = await proxy.process.stop("SIGTERM");
  expect(proxy.process.stderr).toBe("");
  expect(outcome).toEqual({ status: 0, signal: null });
}
