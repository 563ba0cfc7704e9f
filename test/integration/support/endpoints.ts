import { readFile } from "node:fs/promises";

import type { Endpoint } from "../../../src/ports/network.ts";

const LISTEN_STATE = "0A";

/** The NBD URI of an export there, as libnbd's and qemu's programs take it. */
export function uriOf(endpoint: Endpoint, exportName = ""): string {
  const path = encodeURIComponent(exportName);
  if (endpoint.kind === "unix") return `nbd+unix:///${path}?socket=${endpoint.path}`;
  return `nbd://${endpoint.host}:${endpoint.port}/${path}`;
}

/**
 * Whether somebody listens there. It asks the kernel instead of connecting, since a connection would be a client: some
 * servers take only one. A UNIX socket that was renamed since it was bound is not found.
 */
export async function isListening(endpoint: Endpoint): Promise<boolean> {
  if (endpoint.kind === "unix") {
    const rows = await rowsOf("/proc/net/unix");
    // Flag 0x10000 marks a listening socket; the path is the last column.
    return rows.some((row) => row[3] === "00010000" && row.slice(7).join(" ") === endpoint.path);
  }
  const port = endpoint.port.toString(16).toUpperCase().padStart(4, "0");
  const rows = [...(await rowsOf("/proc/net/tcp")), ...(await rowsOf("/proc/net/tcp6"))];
  return rows.some((row) => row[1]?.endsWith(`:${port}`) === true && row[3] === LISTEN_STATE);
}

async function rowsOf(path: string): Promise<string[][]> {
  const text = await readFile(path, "utf8");
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}
