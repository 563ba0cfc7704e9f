import { listenConfig } from "./listen-config.ts";
import type { ListenConfig, ListenSettings } from "./listen-config.ts";
import type { LogLevel } from "./log-level.ts";
import type { Maybe } from "./setting.ts";
import { upstreamConfig } from "./upstream-config.ts";
import type { UpstreamConfig, UpstreamSettings } from "./upstream-config.ts";

/** Until the server is back, without an end: the proxy's reason to be. */
const DEFAULT_HOLD_TIMEOUT_MS = undefined;
const DEFAULT_RECONNECT_INTERVAL_MAX_MS = 5_000;

/** The options of the proxy, parsed but not yet checked against each other. */
export interface ProxySettings extends ListenSettings, UpstreamSettings {
  readonly holdTimeout: Maybe<number | undefined>;
  readonly reconnectIntervalMax: Maybe<number>;
}

/** What the proxy is asked to do: complete, checked and frozen. */
export interface ProxyConfig extends ListenConfig {
  readonly upstream: UpstreamConfig;
  /** How long clients are kept waiting in an outage before their requests fail; undefined: for ever. */
  readonly holdTimeoutMs: number | undefined;
  /** The longest pause between two attempts to reach the server. */
  readonly reconnectIntervalMaxMs: number;
  readonly logLevel: LogLevel;
}

/** Checks the options against each other and fills in what is absent. Throws UsageError. */
export function proxyConfig(settings: ProxySettings, logLevel: LogLevel): ProxyConfig {
  const { listen, socketMode } = listenConfig(settings);
  const { holdTimeout, reconnectIntervalMax } = settings;
  return Object.freeze({
    listen: Object.freeze(listen),
    socketMode,
    upstream: upstreamConfig(settings),
    holdTimeoutMs: holdTimeout === undefined ? DEFAULT_HOLD_TIMEOUT_MS : holdTimeout.value,
    reconnectIntervalMaxMs: reconnectIntervalMax?.value ?? DEFAULT_RECONNECT_INTERVAL_MAX_MS,
    logLevel,
  });
}
