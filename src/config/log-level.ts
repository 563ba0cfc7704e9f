/** The least severe messages that are logged. */
export type LogLevel = "debug" | "info" | "warning" | "fatal";

/**
 * The level for `--verbose` and `--quiet` in the order in which they were given: the last one wins. Debug messages need
 * `FLEXNBD_DEBUG=1` as well.
 */
export function logLevel(flags: readonly ("verbose" | "quiet")[], debug: boolean): LogLevel {
  switch (flags.at(-1)) {
    case "quiet":
      return "fatal";
    case "verbose":
      return debug ? "debug" : "info";
    case undefined:
      return "warning";
  }
}
