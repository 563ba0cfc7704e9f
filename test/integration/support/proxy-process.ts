import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { Endpoint } from "../../../src/ports/network.ts";
import { ROOT } from "./build.ts";
import { Spawned } from "./spawned.ts";

/** The program as users run it: `node dist/main.js` with these arguments, which must not wait for a listener. */
export function startProgram(args: readonly string[], environment?: Readonly<Record<string, string>>): Spawned {
  return new Spawned(process.execPath, [join(ROOT, "dist", "main.js"), ...args], environment);
}

/**
 * Starts the program and waits until it accepts clients at `endpoint`, which the arguments must name as well. Stop it
 * with `stop(signal)`, which gives its exit status; its log is in `stderr`.
 */
export async function startProxy(
  endpoint: Endpoint,
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Spawned> {
  const before = endpoint.kind === "unix" ? await inodeOf(endpoint.path) : undefined;
  const proxy = startProgram(args, environment);
  if (endpoint.kind === "tcp") {
    await proxy.untilListening(endpoint);
  } else {
    // It renames a socket that listens already into its place, over what may have been there.
    await proxy.until(`to listen on ${endpoint.path}`, async () => {
      const inode = await inodeOf(endpoint.path);
      return inode !== undefined && inode !== before;
    });
  }
  return proxy;
}

/** The options that make the program listen at an endpoint. */
export function listenArgs(endpoint: Endpoint): string[] {
  if (endpoint.kind === "unix") return ["--addr", endpoint.path];
  return ["--addr", endpoint.host, "--port", String(endpoint.port)];
}

/** The options that make the program connect to a server at an endpoint. */
export function serverArgs(endpoint: Endpoint): string[] {
  if (endpoint.kind === "unix") return ["--conn-addr", endpoint.path];
  return ["--conn-addr", endpoint.host, "--conn-port", String(endpoint.port)];
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    const status = await stat(path);
    return status.isSocket() ? status.ino : undefined;
  } catch {
    return undefined;
  }
}
