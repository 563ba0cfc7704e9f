import { UsageError } from "./usage-error.ts";

/** What the user gave for one option, and where. */
export interface GivenText {
  readonly text: string;
  /** What the user called it: `--port` or `FLEXNBD_PORT`. */
  readonly label: string;
  readonly origin: "command line" | "environment";
}

/** One option's value, with the text that it was parsed from. */
export interface Setting<T> extends GivenText {
  readonly value: T;
}

/** An option that may be absent. */
export type Maybe<T> = Setting<T> | undefined;

/** `setting`, unless it stands in the environment and `rival`, which excludes it, on the command line, which wins. */
export function unlessOverruled<T>(setting: Maybe<T>, rival: Maybe<unknown>): Maybe<T> {
  if (setting?.origin === "environment" && rival?.origin === "command line") return undefined;
  return setting;
}

/** The error about a value that is wrong in itself or beside the others; `reason` goes on where the value ends. */
export function badSetting(setting: GivenText, reason: string, cause?: unknown): UsageError {
  return new UsageError(`${setting.label}: ${JSON.stringify(setting.text)} ${reason}`, {
    option: setting.label,
    value: setting.text,
    cause,
  });
}

/** The error about an option that is absent: "--port is missing: …". */
export function missingSetting(label: string, advice: string): UsageError {
  return new UsageError(`${label} is missing: ${advice}`, { option: label });
}
