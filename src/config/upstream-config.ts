import { isIP } from "node:net";

import type { Endpoint } from "../ports/network.ts";
import type { Address } from "./address.ts";
import { badSetting, missingSetting, unlessOverruled } from "./setting.ts";
import type { Maybe } from "./setting.ts";
import type { UpstreamUri } from "./upstream-uri.ts";

/** The options about the server, parsed but not yet checked against each other. */
export interface UpstreamSettings {
  readonly upstream: Maybe<UpstreamUri>;
  readonly connAddr: Maybe<Address>;
  readonly connPort: Maybe<number>;
  readonly bind: Maybe<string>;
  readonly export: Maybe<string>;
}

/** The server, its export, and the local address to connect from (undefined: the system's choice). */
export interface UpstreamConfig {
  readonly endpoint: Endpoint;
  readonly exportName: string;
  readonly bindAddress: string | undefined;
}

/** Puts the options about the server together. Throws UsageError. */
export function upstreamConfig(settings: UpstreamSettings): UpstreamConfig {
  const server = fromUri(settings) ?? fromAddress(settings);
  const { bind } = settings;
  if (bind !== undefined) {
    if (server.endpoint.kind === "unix") throw badSetting(bind, "has no meaning: the server is at a UNIX socket");
    const family = isIP(server.endpoint.host);
    if (family !== 0 && family !== isIP(bind.value)) {
      throw badSetting(bind, `cannot reach ${server.endpoint.host}: one is IPv4, the other is IPv6`);
    }
  }
  return Object.freeze({ ...server, endpoint: Object.freeze(server.endpoint), bindAddress: bind?.value });
}

/** From `--upstream`; undefined when the single options are to be used. */
function fromUri(settings: UpstreamSettings): UpstreamUri | undefined {
  const { connAddr, connPort } = settings;
  const uri = unlessOverruled(unlessOverruled(settings.upstream, connAddr), connPort);
  if (uri === undefined) return undefined;
  const second = unlessOverruled(connAddr, uri) ?? unlessOverruled(connPort, uri);
  if (second !== undefined) throw badSetting(second, `and ${uri.label} both say where the server is; give one of them`);

  const { endpoint, exportName } = uri.value;
  if (exportName === "") return { endpoint, exportName: settings.export?.value ?? "" };
  const name = unlessOverruled(settings.export, uri);
  if (name !== undefined) throw badSetting(name, `and ${uri.label} both name an export; give one of them`);
  return { endpoint, exportName };
}

/** From `--conn-addr`, `--conn-port` and `--export`. */
function fromAddress({ connAddr, connPort, export: name }: UpstreamSettings): UpstreamUri {
  const exportName = name?.value ?? "";
  if (connAddr === undefined) throw missingSetting("--conn-addr", "say where the server is, or use --upstream");
  if (connAddr.value.kind === "unix") {
    const strayPort = unlessOverruled(connPort, connAddr);
    if (strayPort !== undefined) throw badSetting(strayPort, `has no meaning: ${connAddr.label} is a UNIX socket`);
    return { endpoint: connAddr.value, exportName };
  }
  const { host } = connAddr.value;
  if (connPort === undefined) throw missingSetting("--conn-port", `say which port of ${host} the server listens on`);
  return { endpoint: { kind: "tcp", host, port: connPort.value }, exportName };
}
