import type { Endpoint } from "../ports/network.ts";
import type { Address } from "./address.ts";
import { badSetting, missingSetting, unlessOverruled } from "./setting.ts";
import type { Maybe } from "./setting.ts";

/** Permission bits of a UNIX socket when nothing else is asked for: its owner may connect. */
const DEFAULT_SOCKET_MODE = 0o600;

/** The options about listening, parsed but not yet checked against each other. */
export interface ListenSettings {
  readonly addr: Maybe<Address>;
  readonly port: Maybe<number>;
  readonly socketMode: Maybe<number>;
}

/** Where to listen; `socketMode` are the permission bits of a UNIX socket. */
export interface ListenConfig {
  readonly listen: Endpoint;
  readonly socketMode: number;
}

/** Puts the options about listening together, with what stands in for absent ones, if anything does. Throws UsageError. */
export function listenConfig(
  { addr, port, socketMode }: ListenSettings,
  defaults: { readonly host?: string; readonly port?: number } = {},
): ListenConfig {
  if (addr?.value.kind === "unix") {
    const strayPort = unlessOverruled(port, addr);
    if (strayPort !== undefined) throw badSetting(strayPort, `has no meaning: ${addr.label} is a UNIX socket`);
    const { path } = addr.value;
    return { listen: { kind: "unix", path }, socketMode: socketMode?.value ?? DEFAULT_SOCKET_MODE };
  }

  const host = addr?.value.host ?? defaults.host;
  if (host === undefined)
    throw missingSetting("--addr", "say where to listen, an IP address or the path of a UNIX socket");
  const portNumber = port?.value ?? defaults.port;
  if (portNumber === undefined) throw missingSetting("--port", `say on which port of ${host} to listen`);
  // One environment file may serve several proxies, so only what was typed is taken at its word.
  if (socketMode?.origin === "command line") {
    throw badSetting(socketMode, `has no meaning: ${addr?.label ?? "the default address"} is not a UNIX socket`);
  }
  return { listen: { kind: "tcp", host, port: portNumber }, socketMode: DEFAULT_SOCKET_MODE };
}
