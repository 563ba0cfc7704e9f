import { parseDuration } from "../config/duration.ts";
import { parseFenceMode } from "../config/fence-mode.ts";
import { parseUnflushedLimit } from "../config/unflushed-limit.ts";
import { parseUnflushedMode } from "../config/unflushed-mode.ts";
import { flagOption, valueOption } from "./option.ts";
import type { AnyOption } from "./option.ts";

/** The part of the option table about the protection of writes. */
export const PROTECTION_OPTIONS = {
  unflushed: valueOption({
    long: "unflushed",
    valueName: "MODE",
    meanings: {
      proxy: {
        help:
          "how to protect writes that the server has answered but not yet flushed. " +
          "log: keep a copy of each until it is flushed, and send it again after an outage; " +
          "fua: have the server store each write before it answers, which is slower but needs no copies; " +
          "off: not at all",
        default: "log",
      },
    },
    parse: parseUnflushedMode,
  }),
  unflushedLimit: valueOption({
    long: "unflushed-limit",
    valueName: "BYTES",
    meanings: {
      proxy: { help: "memory for requests under way and unflushed writes together; 64M to 64G", default: "128M" },
    },
    parse: parseUnflushedLimit,
  }),
  linger: valueOption({
    long: "linger",
    valueName: "DURATION",
    meanings: {
      proxy: {
        help: "keep unflushed writes this long for a server that is away when the last client has left, then drop them",
        default: "60",
      },
    },
    parse: parseDuration,
  }),
  pin: valueOption({
    long: "pin",
    valueName: "DURATION",
    meanings: {
      proxy: {
        help:
          "when a connection was lost, guard what was being written over it for this long, " +
          "in case the server carries out old requests late; 0: not at all",
        default: "60",
      },
    },
    parse: parseDuration,
  }),
  fence: valueOption({
    long: "fence",
    valueName: "MODE",
    meanings: {
      proxy: {
        help:
          "when to go on after a lost connection. none: at once; " +
          "strict: only when the server itself has ended the lost one, however long that takes",
        default: "none",
      },
    },
    parse: parseFenceMode,
  }),
  shared: flagOption({
    long: "shared",
    meanings: {
      proxy: {
        help:
          "others write to the export as well: keep no copies of writes, and when a connection is lost, " +
          "answer the writes under way with an error instead of sending them again",
      },
    },
  }),
} as const satisfies Record<string, AnyOption>;
