import type { Endpoint } from "../ports/network.ts";

/** Where a listener or a server is, as text for people: `127.0.0.1:10809`, `[::1]:10809`, `unix:/run/nbd.sock`. */
export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
