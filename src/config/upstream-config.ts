import { isIP } from "node:net";

import type { Endpoint } from "../ports/network.ts";
import type { Address } from "./address.ts";
import { badSetting, missingSetting, unlessOverruled } from "./setting.ts";
import type { Maybe, Setting } from "./setting.ts";
import type { UpstreamUri } from "./upstream-uri.ts";

/** The options about the server, parsed but not yet checked against each other. */
export interface UpstreamSettings {
  /** Paths to one and the same storage, in the order of preference. */
  readonly upstream: readonly Setting<UpstreamUri>[];
  readonly connAddr: Maybe<Address>;
  readonly connPort: Maybe<number>;
  readonly bind: Maybe<string>;
  readonly export: Maybe<string>;
}

/** A server, its export, and the local address to connect from (undefined: the system's choice). */
export interface UpstreamConfig {
  readonly endpoint: Endpoint;
  readonly exportName: string;
  readonly bindAddress: string | undefined;
}

/** At least one of them. */
type Some<T> = readonly [T, ...T[]];

/** Puts the options about the server together: all paths to it, in the order of preference. Throws UsageError. */
export function upstreamConfigs(settings: UpstreamSettings): Some<UpstreamConfig> {
  const [first, ...others] = fromUris(settings) ?? [fromAddress(settings)];
  const { bind } = settings;
  if (bind !== undefined && [first, ...others].every(({ endpoint }) => endpoint.kind === "unix")) {
    throw badSetting(bind, "has no meaning: the server is at a UNIX socket");
  }
  return Object.freeze([boundTo(bind, first), ...others.map((server) => boundTo(bind, server))] as const);
}

/** From `--upstream`; undefined when the single options are to be used. */
function fromUris(settings: UpstreamSettings): Some<UpstreamUri> | undefined {
  const { connAddr, connPort } = settings;
  // All of them come from the same place, so the first one stands for all.
  const [given, ...others] = settings.upstream;
  const first = unlessOverruled(unlessOverruled(given, connAddr), connPort);
  if (first === undefined) return undefined;
  const second = unlessOverruled(connAddr, first) ?? unlessOverruled(connPort, first);
  if (second !== undefined) {
    throw badSetting(second, `and ${first.label} both say where the server is; give one of them`);
  }

  if ([first, ...others].every(({ value }) => value.exportName !== "")) {
    const name = unlessOverruled(settings.export, first);
    if (name !== undefined) throw badSetting(name, `and ${first.label} both name an export; give one of them`);
  }
  const named = ({ value }: Setting<UpstreamUri>): UpstreamUri =>
    value.exportName === "" ? { ...value, exportName: settings.export?.value ?? "" } : value;
  return [named(first), ...others.map((uri) => named(uri))];
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

/** The path, with the local address to take on it; a UNIX socket beside TCP servers has no use for one. */
function boundTo(bind: Maybe<string>, { endpoint, exportName }: UpstreamUri): UpstreamConfig {
  if (endpoint.kind === "tcp" && bind !== undefined) {
    const family = isIP(endpoint.host);
    if (family !== 0 && family !== isIP(bind.value)) {
      throw badSetting(bind, `cannot reach ${endpoint.host}: one is IPv4, the other is IPv6`);
    }
  }
  const bindAddress = endpoint.kind === "tcp" ? bind?.value : undefined;
  return Object.freeze({ endpoint: Object.freeze(endpoint), exportName, bindAddress });
}
