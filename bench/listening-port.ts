import assert from "node:assert";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import type { ProcessGroup } from "./process-groups.ts";

const LISTEN_STATE = "0A";
const POLL_MS = 10;
const DEADLINE_MS = 10_000;

/** A TCP port of 127.0.0.1 that the kernel chose and nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object", "a TCP listener has a port");
  server.close();
  await once(server, "close");
  return address.port;
}

/**
 * Waits until somebody listens on a port, with a look every so often, and resolves to the moment of the look that saw it,
 * in the time of `performance.now()`. Throws when the process that should listen ends, or takes too long.
 */
export async function untilListening(port: number, group: ProcessGroup, pollMs = POLL_MS): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const lookedAtMs = performance.now();
    if (await isListening(port)) return lookedAtMs;
    if (group.outcome !== undefined) throw new Error(`it ended at once: ${group.stderr.trim()}`);
    if (lookedAtMs - startMs > DEADLINE_MS) throw new Error(`it does not listen: ${group.stderr.trim()}`);
    await delay(pollMs);
  }
}

/** Asks the kernel, since a connection would be a client: some contenders take only one. */
async function isListening(port: number): Promise<boolean> {
  const text = (await readFile("/proc/net/tcp", "utf8")) + (await readFile("/proc/net/tcp6", "utf8").catch(() => ""));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === LISTEN_STATE && local?.endsWith(suffix) === true;
  });
}
