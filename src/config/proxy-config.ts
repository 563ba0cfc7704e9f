import type { GreetingStyle } from "../protocol/greeting-style.ts";
import type { AddressRange } from "./address-range.ts";
import { listenConfig } from "./listen-config.ts";
import type { ListenConfig, ListenSettings } from "./listen-config.ts";
import type { LogLevel } from "./log-level.ts";
import { PROTECTION_DEFAULTS, protectionConfig } from "./protection-config.ts";
import type { ProtectionConfig, ProtectionSettings } from "./protection-config.ts";
import { badSetting, unlessOverruled } from "./setting.ts";
import type { Maybe, Setting } from "./setting.ts";
import { upstreamConfigs } from "./upstream-config.ts";
import type { UpstreamConfig, UpstreamSettings } from "./upstream-config.ts";

/** What holds where the user says nothing. */
export const PROXY_DEFAULTS = {
  greetingStyle: "auto",
  maxClients: 1,
  allow: [],
  /** Until the server is back, without an end: the proxy's reason to be. */
  holdTimeoutMs: undefined,
  upstreamTimeoutMs: 30_000,
  idlePingMs: undefined,
  reconnectIntervalMaxMs: 5_000,
  cacheBytes: 0,
  ...PROTECTION_DEFAULTS,
} as const satisfies Partial<ProxyConfig>;

/** The options of the proxy, parsed but not yet checked against each other. */
export interface ProxySettings extends ListenSettings, UpstreamSettings, ProtectionSettings {
  readonly handshake: Maybe<GreetingStyle>;
  readonly maxClients: Maybe<number>;
  readonly allow: readonly Setting<AddressRange>[];
  readonly upstreamTimeout: Maybe<number>;
  readonly idlePing: Maybe<number | undefined>;
  readonly cache: Maybe<number>;
  readonly holdTimeout: Maybe<number | undefined>;
  readonly reconnectIntervalMax: Maybe<number>;
}

/** What the proxy is asked to do: complete, checked and frozen. */
export interface ProxyConfig extends ListenConfig, ProtectionConfig {
  /** Paths to one and the same storage, in the order of preference. */
  readonly upstreams: readonly [UpstreamConfig, ...UpstreamConfig[]];
  readonly greetingStyle: GreetingStyle;
  /** Clients that are served at once. */
  readonly maxClients: number;
  /** TCP clients must come from one of these ranges; none: from anywhere. */
  readonly allow: readonly AddressRange[];
  /** How long the server may be silent while requests wait. */
  readonly upstreamTimeoutMs: number;
  /** After how long an idle server is asked for a sign of life; undefined: never. */
  readonly idlePingMs: number | undefined;
  /** Memory for reading ahead; 0: none. */
  readonly cacheBytes: number;
  /** How long clients are kept waiting in an outage before their requests fail; undefined: for ever. */
  readonly holdTimeoutMs: number | undefined;
  /** The longest pause between two attempts to reach the server. */
  readonly reconnectIntervalMaxMs: number;
  readonly logLevel: LogLevel;
}

/** Checks the options against each other and fills in what is absent. Throws UsageError. */
export function proxyConfig(settings: ProxySettings, logLevel: LogLevel): ProxyConfig {
  const { listen, socketMode } = listenConfig(settings);
  const { holdTimeout, idlePing } = settings;
  return Object.freeze({
    listen: Object.freeze(listen),
    socketMode,
    upstreams: upstreamConfigs(settings),
    greetingStyle: settings.handshake?.value ?? PROXY_DEFAULTS.greetingStyle,
    maxClients: settings.maxClients?.value ?? PROXY_DEFAULTS.maxClients,
    allow: allowedRanges(settings),
    upstreamTimeoutMs: settings.upstreamTimeout?.value ?? PROXY_DEFAULTS.upstreamTimeoutMs,
    // Undefined is a value here: a user can ask for no end, and for no pings.
    idlePingMs: idlePing === undefined ? PROXY_DEFAULTS.idlePingMs : idlePing.value,
    holdTimeoutMs: holdTimeout === undefined ? PROXY_DEFAULTS.holdTimeoutMs : holdTimeout.value,
    reconnectIntervalMaxMs: settings.reconnectIntervalMax?.value ?? PROXY_DEFAULTS.reconnectIntervalMaxMs,
    cacheBytes: settings.cache?.value ?? PROXY_DEFAULTS.cacheBytes,
    ...protectionConfig(settings),
    logLevel,
  });
}

/** A UNIX socket has clients without addresses, so a list of addresses would not keep anybody out. */
function allowedRanges({ allow, addr }: ProxySettings): readonly AddressRange[] {
  if (addr?.value.kind === "unix") {
    const stray = unlessOverruled(allow[0], addr);
    if (stray !== undefined) {
      throw badSetting(stray, `has no meaning: ${addr.label} is a UNIX socket, whose permissions say who may connect`);
    }
    return Object.freeze([]);
  }
  return Object.freeze(allow.map(({ value }) => Object.freeze(value)));
}
