import { parseBindAddress, parseListenAddress, parseServerAddress } from "../config/address.ts";
import { parseDurationOrForever, parseReconnectInterval } from "../config/duration.ts";
import { parseExportName } from "../config/export-name.ts";
import { parseFilePath } from "../config/file-path.ts";
import { parseListenPort, parseServerPort } from "../config/port.ts";
import { parseDiskSize } from "../config/size.ts";
import { parseSocketMode } from "../config/socket-mode.ts";
import { parseUpstreamUri } from "../config/upstream-uri.ts";
import { flagOption, valueOption } from "./option.ts";
import type { FlagOption, ValueOption } from "./option.ts";

/** Every option of every command, in the order of the help text. Parsing and help are made from this table alone. */
export const OPTION_TABLE = {
  addr: valueOption({
    long: "addr",
    short: "l",
    valueName: "ADDR",
    meanings: {
      proxy: {
        help: "listen here: an IPv4 or IPv6 address, or the path of a UNIX socket to create, which begins with '/'",
      },
      serve: { help: "listen here: an IP address, or the path of a UNIX socket to create", default: "127.0.0.1" },
    },
    parse: parseListenAddress,
  }),
  port: valueOption({
    long: "port",
    short: "p",
    valueName: "PORT",
    meanings: {
      proxy: { help: "TCP port to listen on; 0 lets the system choose. Needed unless ADDR is a UNIX socket" },
      serve: { help: "TCP port to listen on; 0 lets the system choose", default: "10809" },
    },
    parse: parseListenPort,
  }),
  socketMode: valueOption({
    long: "socket-mode",
    valueName: "MODE",
    meanings: {
      proxy: { help: "permission bits of the UNIX socket, in octal", default: "0600" },
      serve: { help: "permission bits of the UNIX socket, in octal", default: "0600" },
    },
    parse: parseSocketMode,
  }),
  connAddr: valueOption({
    long: "conn-addr",
    short: "C",
    valueName: "ADDR",
    meanings: {
      proxy: {
        help: "the NBD server: an IP address, a host name, or the path of a UNIX socket. Needed unless --upstream is given",
      },
    },
    parse: parseServerAddress,
  }),
  connPort: valueOption({
    long: "conn-port",
    short: "P",
    valueName: "PORT",
    meanings: { proxy: { help: "the NBD server's TCP port. Needed unless the server is at a UNIX socket" } },
    parse: parseServerPort,
  }),
  upstream: valueOption({
    long: "upstream",
    valueName: "URI",
    once: true,
    meanings: {
      proxy: {
        help:
          "the NBD server and its export in one, instead of -C, -P and --export: " +
          "nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH",
      },
    },
    parse: parseUpstreamUri,
  }),
  export: valueOption({
    long: "export",
    valueName: "NAME",
    meanings: {
      proxy: { help: "the server's export to ask for, and to offer; the default export when absent" },
      serve: { help: "the name to serve the disk under; the default export when absent" },
    },
    parse: parseExportName,
  }),
  bind: valueOption({
    long: "bind",
    short: "b",
    valueName: "ADDR",
    meanings: { proxy: { help: "local IP address to connect to the server from" } },
    parse: parseBindAddress,
  }),
  holdTimeout: valueOption({
    long: "hold-timeout",
    valueName: "DURATION",
    meanings: {
      proxy: {
        help: "in an outage, answer requests with an error after this long, or never (forever)",
        default: "forever",
      },
    },
    parse: parseDurationOrForever,
  }),
  reconnectIntervalMax: valueOption({
    long: "reconnect-interval-max",
    valueName: "DURATION",
    meanings: { proxy: { help: "in a long outage, try to reconnect at least this often", default: "5" } },
    parse: parseReconnectInterval,
  }),
  file: valueOption({
    long: "file",
    valueName: "PATH",
    meanings: { serve: { help: "serve this file" } },
    parse: parseFilePath,
  }),
  memory: valueOption({
    long: "memory",
    valueName: "SIZE",
    meanings: {
      serve: { help: "serve a disk of this size in memory; only what is written takes room", default: "1G" },
    },
    parse: parseDiskSize,
  }),
  verbose: flagOption({
    long: "verbose",
    short: "v",
    meanings: {
      proxy: { help: "log what happens; with FLEXNBD_DEBUG=1 in the environment, in every detail" },
      serve: { help: "log what happens" },
      demo: { help: "show the log of what happens inside" },
    },
  }),
  quiet: flagOption({
    long: "quiet",
    short: "q",
    meanings: {
      proxy: { help: "log only what ends the program. Of --verbose and --quiet the last one wins" },
      serve: { help: "log only what ends the program" },
      demo: { help: "log only what ends the program" },
    },
  }),
  help: flagOption({
    long: "help",
    short: "h",
    meanings: {
      proxy: { help: "show this help" },
      serve: { help: "show this help" },
      demo: { help: "show this help" },
    },
  }),
  version: flagOption({ long: "version", meanings: { proxy: { help: "show the version" } } }),
} as const satisfies Record<string, ValueOption<unknown> | FlagOption>;
