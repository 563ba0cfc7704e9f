import { DEFAULT_PORT } from "../protocol/constants.ts";
import { listenConfig } from "./listen-config.ts";
import type { ListenConfig, ListenSettings } from "./listen-config.ts";
import type { LogLevel } from "./log-level.ts";
import { badSetting, unlessOverruled } from "./setting.ts";
import type { Maybe } from "./setting.ts";

const DEFAULT_HOST = "127.0.0.1";
/** A disk in memory takes only what is written to it. */
const DEFAULT_MEMORY_BYTES = 1024 ** 3;

/** The options of the embedded server, parsed but not yet checked against each other. */
export interface ServeSettings extends ListenSettings {
  readonly file: Maybe<string>;
  readonly memory: Maybe<number>;
  readonly export: Maybe<string>;
  readonly writeCache: Maybe<true>;
}

/** What the embedded server is asked to do: complete, checked and frozen. */
export interface ServeConfig extends ListenConfig {
  readonly disk:
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "memory"; readonly sizeBytes: number };
  readonly exportName: string;
  /** Writes stay in memory until a FLUSH or FUA, so that a server that is killed loses what was not flushed. */
  readonly writeCache: boolean;
  readonly logLevel: LogLevel;
}

/** Checks the options against each other and fills in what is absent. Throws UsageError. */
export function serveConfig(settings: ServeSettings, logLevel: LogLevel): ServeConfig {
  const { listen, socketMode } = listenConfig(settings, { host: DEFAULT_HOST, port: DEFAULT_PORT });
  return Object.freeze({
    listen: Object.freeze(listen),
    socketMode,
    disk: Object.freeze(servedDisk(settings)),
    exportName: settings.export?.value ?? "",
    writeCache: settings.writeCache !== undefined,
    logLevel,
  });
}

function servedDisk(settings: ServeSettings): ServeConfig["disk"] {
  const file = unlessOverruled(settings.file, settings.memory);
  const memory = unlessOverruled(settings.memory, settings.file);
  if (file === undefined) return { kind: "memory", sizeBytes: memory?.value ?? DEFAULT_MEMORY_BYTES };
  if (memory !== undefined) throw badSetting(memory, `and ${file.label} both say what to serve; give one of them`);
  return { kind: "file", path: file.value };
}
