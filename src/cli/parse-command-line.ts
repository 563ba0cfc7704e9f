import { logLevel } from "../config/log-level.ts";
import type { LogLevel } from "../config/log-level.ts";
import { proxyConfig } from "../config/proxy-config.ts";
import type { ProxyConfig } from "../config/proxy-config.ts";
import { serveConfig } from "../config/serve-config.ts";
import type { ServeConfig } from "../config/serve-config.ts";
import { givenOptions } from "./given-options.ts";
import type { Environment, GivenOptions } from "./given-options.ts";
import { helpText } from "./help-text.ts";
import type { CommandName } from "./option.ts";
import { OPTION_TABLE } from "./option-table.ts";
import { programVersion } from "./version.ts";

/** What the program is to do. */
export type Command =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version"; readonly text: string }
  | { readonly kind: "run"; readonly config: ProxyConfig }
  | { readonly kind: "serve"; readonly config: ServeConfig }
  | { readonly kind: "demo"; readonly logLevel: LogLevel };

/**
 * Turns the arguments (without interpreter and script) and the environment into what the program is to do. Pure; throws
 * UsageError. Texts end in a newline.
 */
export function parseCommandLine(argv: readonly string[], env: Environment): Command {
  const [word] = argv;
  const command: CommandName = word === "serve" || word === "demo" ? word : "proxy";
  const given = givenOptions(command, command === "proxy" ? argv : argv.slice(1), env);
  if (given.has(OPTION_TABLE.help)) return { kind: "help", text: helpText(command) };
  if (given.has(OPTION_TABLE.version)) return { kind: "version", text: `flexnbd-proxy ${programVersion()}\n` };

  const levelFlags = given.flags.filter((flag) => flag === "verbose" || flag === "quiet");
  const level = logLevel(levelFlags, env["FLEXNBD_DEBUG"] === "1");
  switch (command) {
    case "proxy":
      return { kind: "run", config: proxyConfig(proxySettings(given), level) };
    case "serve":
      return { kind: "serve", config: serveConfig(serveSettings(given), level) };
    case "demo":
      return { kind: "demo", logLevel: level };
  }
}

function proxySettings(given: GivenOptions): Parameters<typeof proxyConfig>[0] {
  return {
    addr: given.get(OPTION_TABLE.addr),
    port: given.get(OPTION_TABLE.port),
    socketMode: given.get(OPTION_TABLE.socketMode),
    connAddr: given.get(OPTION_TABLE.connAddr),
    connPort: given.get(OPTION_TABLE.connPort),
    upstream: given.list(OPTION_TABLE.upstream),
    export: given.get(OPTION_TABLE.export),
    bind: given.get(OPTION_TABLE.bind),
    handshake: given.get(OPTION_TABLE.handshake),
    maxClients: given.get(OPTION_TABLE.maxClients),
    allow: given.list(OPTION_TABLE.allow),
    upstreamTimeout: given.get(OPTION_TABLE.upstreamTimeout),
    idlePing: given.get(OPTION_TABLE.idlePing),
    cache: given.get(OPTION_TABLE.cache),
    holdTimeout: given.get(OPTION_TABLE.holdTimeout),
    reconnectIntervalMax: given.get(OPTION_TABLE.reconnectIntervalMax),
    unflushed: given.get(OPTION_TABLE.unflushed),
    unflushedLimit: given.get(OPTION_TABLE.unflushedLimit),
    linger: given.get(OPTION_TABLE.linger),
    pin: given.get(OPTION_TABLE.pin),
    fence: given.get(OPTION_TABLE.fence),
    shared: given.flag(OPTION_TABLE.shared),
  };
}

function serveSettings(given: GivenOptions): Parameters<typeof serveConfig>[0] {
  return {
    addr: given.get(OPTION_TABLE.addr),
    port: given.get(OPTION_TABLE.port),
    socketMode: given.get(OPTION_TABLE.socketMode),
    file: given.get(OPTION_TABLE.file),
    memory: given.get(OPTION_TABLE.memory),
    export: given.get(OPTION_TABLE.export),
    writeCache: given.flag(OPTION_TABLE.writeCache),
  };
}
