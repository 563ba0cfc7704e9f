import assert from "node:assert";
import { once } from "node:events";
import { createServer } from "node:net";

import type { Endpoint } from "../../../src/ports/network.ts";

/** A TCP port of 127.0.0.1 that the kernel chose and nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  server.close();
  await once(server, "close");
  return address.port;
}

/** An endpoint with such a port. */
export async function freeEndpoint(): Promise<Endpoint> {
  return { kind: "tcp", host: "127.0.0.1", port: await freePort() };
}
