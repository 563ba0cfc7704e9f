import { parseAddressRange } from "../config/address-range.ts";
import { parseBindAddress, parseListenAddress, parseServerAddress } from "../config/address.ts";
import { parseClientCount } from "../config/client-count.ts";
import {
  parseDurationOrForever,
  parsePositiveDuration,
  parsePositiveDurationOrOff,
  parseReconnectInterval,
  parseWholeSeconds,
} from "../config/duration.ts";
import { parseExportName } from "../config/export-name.ts";
import { parseFilePath } from "../config/file-path.ts";
import { parseGreetingStyle } from "../config/greeting-style.ts";
import { parseListenPort, parseServerPort } from "../config/port.ts";
import { parseDiskSize, parseSize } from "../config/size.ts";
import { parseSocketMode } from "../config/socket-mode.ts";
import { parseUpstreamUri } from "../config/upstream-uri.ts";
import { flagOption, listOption, valueOption } from "./option.ts";
import type { AnyOption } from "./option.ts";
import { PROTECTION_OPTIONS } from "./protection-options.ts";

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
  upstream: listOption({
    long: "upstream",
    valueName: "URI",
    separator: /\s+/,
    meanings: {
      proxy: {
        help:
          "the NBD server and its export in one, instead of -C, -P and --export: " +
          "nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH. " +
          "Can be repeated for other ways to the same storage, the preferred one first; " +
          "in the environment, blanks separate them",
      },
    },
    parse: parseUpstreamUri,
  }),
  export: valueOption({
    long: "export",
    valueName: "NAME",
    meanings: {
      proxy: {
        help: "the server's export to ask for, and to offer, unless the URI names one; the default export when absent",
      },
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
  handshake: valueOption({
    long: "handshake",
    valueName: "STYLE",
    meanings: {
      proxy: { help: "how to greet clients: oldstyle, newstyle, or auto, as the server does it", default: "auto" },
    },
    parse: parseGreetingStyle,
  }),
  maxClients: valueOption({
    long: "max-clients",
    valueName: "N",
    meanings: {
      proxy: { help: "serve up to this many clients at once; the next ones wait for their turn", default: "1" },
    },
    parse: parseClientCount,
  }),
  allow: listOption({
    long: "allow",
    valueName: "CIDR",
    separator: /[\s,]+/,
    meanings: {
      proxy: {
        help:
          "serve only clients from this IP address or range, like 192.0.2.0/24. " +
          "Can be repeated; in the environment, blanks or commas separate them",
      },
    },
    parse: parseAddressRange,
  }),
  cache: valueOption({
    long: "cache",
    short: "c",
    valueName: "BYTES",
    impliedText: "4096",
    meanings: {
      proxy: { help: "memory for reading ahead; 4096 when only --cache is given, 0 for none", default: "0" },
    },
    parse: parseSize,
  }),
  upstreamTimeout: valueOption({
    long: "upstream-timeout",
    valueName: "DURATION",
    meanings: {
      proxy: {
        help:
          "look for another connection when requests wait and the server was silent for this long; " +
          "the environment variable takes whole seconds",
        default: "30",
      },
    },
    parse: parsePositiveDuration,
    parseEnv: parseWholeSeconds,
  }),
  idlePing: valueOption({
    long: "idle-ping",
    valueName: "DURATION",
    meanings: {
      proxy: {
        help: "when nothing was heard from the server for this long, read a block to see that it is there; off: never",
        default: "off",
      },
    },
    parse: parsePositiveDurationOrOff,
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
  ...PROTECTION_OPTIONS,
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
  writeCache: flagOption({
    long: "write-cache",
    meanings: {
      serve: {
        help:
          "keep writes in memory until a FLUSH or FUA, like a disk with a volatile write cache: " +
          "when the server is killed, what was not flushed is lost. To try that out",
      },
    },
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
} as const satisfies Record<string, AnyOption>;
