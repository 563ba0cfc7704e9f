/** What the program can be asked to do; `proxy` needs no word on the command line. */
export type CommandName = "proxy" | "serve" | "demo";

/** The words that can stand first on the command line. */
export const COMMAND_NAMES: readonly string[] = ["serve", "demo"] satisfies CommandName[];

/** What an option means to one command. */
export interface Meaning {
  readonly help: string;
  /** What stands in for an absent value, as a user would write it. */
  readonly default?: string;
}

interface OptionBase {
  readonly long: string;
  readonly short?: string;
  /** The commands that know the option. */
  readonly meanings: Partial<Readonly<Record<CommandName, Meaning>>>;
}

/** An option that takes a value, in any number. */
export interface ParsedOption<T> extends OptionBase {
  readonly valueName: string;
  /** The environment variable that stands in for the option. */
  readonly env: string;
  /** Turns the text into the value, or throws BadValue. */
  readonly parse: (text: string) => T;
  /** As `parse`, for the environment variable. */
  readonly parseEnv: (text: string) => T;
}

/** An option with one value; when it is given twice, the last value wins. */
export interface ValueOption<T> extends ParsedOption<T> {
  readonly kind: "value";
  /** What the option means with no value; a value must then be attached: `--cache=8192`. Undefined: it needs one. */
  readonly impliedText: string | undefined;
}

/** An option that can be given several times, each time with one value. */
export interface ListOption<T> extends ParsedOption<T> {
  readonly kind: "list";
  /** What stands between the values in the environment variable. */
  readonly separator: RegExp;
}

/** An option that is there or not. */
export interface FlagOption extends OptionBase {
  readonly kind: "flag";
}

/** A row of the option table. */
export type AnyOption = ValueOption<unknown> | ListOption<unknown> | FlagOption;

type Row<T> = Omit<ParsedOption<T>, "env" | "parseEnv"> & Partial<Pick<ParsedOption<T>, "parseEnv">>;

/** Completes a row of the option table: the environment variable's name follows from the long name. */
export function valueOption<T>(row: Row<T> & { readonly impliedText?: string }): ValueOption<T> {
  return { impliedText: undefined, parseEnv: row.parse, ...row, kind: "value", env: variableOf(row.long) };
}

/** Completes a row of the option table, as `valueOption` does. */
export function listOption<T>(row: Row<T> & Pick<ListOption<T>, "separator">): ListOption<T> {
  return { parseEnv: row.parse, ...row, kind: "list", env: variableOf(row.long) };
}

/** Completes a row of the option table. */
export function flagOption(row: Omit<FlagOption, "kind">): FlagOption {
  return { ...row, kind: "flag" };
}

function variableOf(long: string): string {
  return `FLEXNBD_${long.toUpperCase().replaceAll("-", "_")}`;
}
