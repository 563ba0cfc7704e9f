import { optionsOf } from "./commander-command.ts";
import type { AnyOption, CommandName, ValueOption } from "./option.ts";

/** A letter, also behind others, as in `-vp`, perhaps with a value: `-p=1234`. */
const LETTERS = /^-(?<flags>[a-z]*)(?<letter>[a-z])(?:=(?<text>.*))?$/is;

/** What one argument says that is not yet in the form that commander reads as the manual means it. */
interface Reading {
  /** The letters of flags in front. */
  readonly flags: string;
  readonly option: AnyOption;
  readonly text: string | undefined;
}

/**
 * The arguments in a form on which the manual of the original, getopt and commander agree. `-p=1234` becomes
 * `--port=1234`; getopt and commander would take the value to be `=1234`. `--cache` and `-c` become `--cache=4096`;
 * commander would take the next argument to be the value.
 */
export function longForm(command: CommandName, argv: readonly string[]): string[] {
  const options = optionsOf(command);
  const result: string[] = [];
  let isValue = false;
  for (const [i, arg] of argv.entries()) {
    if (arg === "--" && !isValue) return [...result, ...argv.slice(i)];
    const reading: Reading | undefined = isValue ? undefined : readingOf(options, arg);
    const value: string | undefined = reading?.text ?? impliedText(reading?.option);
    if (reading !== undefined && value !== undefined) {
      if (reading.flags !== "") result.push(`-${reading.flags}`);
      result.push(`--${reading.option.long}=${value}`);
    } else {
      result.push(arg);
    }
    // What follows an option that needs a value is its value, whatever it looks like.
    isValue = reading !== undefined && value === undefined;
  }
  return result;
}

/**
 * The option that `word` may have been meant for, when it stands behind one that takes only what is attached to it:
 * `--cache 8192`.
 */
export function detachedFrom(
  command: CommandName,
  argv: readonly string[],
  word: string,
): ValueOption<unknown> | undefined {
  const options = optionsOf(command);
  for (const [i, arg] of argv.entries()) {
    const { option, text } = readingOf(options, arg) ?? {};
    const isBare = text === undefined && option?.kind === "value" && option.impliedText !== undefined;
    if (isBare && argv[i + 1] === word) return option;
  }
  return undefined;
}

/** The option with a value that `arg` names, unless commander reads it as it is meant. */
function readingOf(options: readonly AnyOption[], arg: string): Reading | undefined {
  const named = options.find(({ kind, long }) => kind !== "flag" && arg === `--${long}`);
  if (named !== undefined) return { flags: "", option: named, text: undefined };

  const { flags = "", letter, text } = LETTERS.exec(arg)?.groups ?? {};
  const find = (short: string | undefined) => options.find((option) => short !== undefined && option.short === short);
  const option = find(letter);
  if (option === undefined || option.kind === "flag") return undefined;
  // Behind a letter that takes a value, the rest is that value: -Chost.
  if (!Array.from(flags).every((flag) => find(flag)?.kind === "flag")) return undefined;
  return { flags, option, text };
}

function impliedText(option: AnyOption | undefined): string | undefined {
  return option?.kind === "value" ? option.impliedText : undefined;
}
