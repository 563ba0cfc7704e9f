import { BadValue } from "./bad-value.ts";

/**
 * How acknowledged writes are protected until the server has flushed them. `log`: a copy of each is kept until then, and
 * replayed after an outage; `fua`: every write is sent with FUA, no copies; `off`: they are not.
 */
export type UnflushedMode = "log" | "fua" | "off";

/** Parses how unflushed writes are protected. Throws BadValue. */
export function parseUnflushedMode(text: string): UnflushedMode {
  switch (text) {
    case "log":
    case "fua":
    case "off":
      return text;
    default:
      throw new BadValue("is not a way to protect unflushed writes: log, fua or off");
  }
}
