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

/** An option that is followed by a value. */
export interface ValueOption<T> extends OptionBase {
  readonly kind: "value";
  readonly valueName: string;
  /** The environment variable that stands in for the option. */
  readonly env: string;
  /** Giving it twice is an error; otherwise the last one wins. */
  readonly once: boolean;
  /** Turns the text into the value, or throws BadValue. */
  readonly parse: (text: string) => T;
}

/** An option that is there or not. */
export interface FlagOption extends OptionBase {
  readonly kind: "flag";
}

/** Completes a row of the option table: the environment variable's name follows from the long name. */
export function valueOption<T>(
  row: Omit<ValueOption<T>, "kind" | "env" | "once"> & { readonly once?: boolean },
): ValueOption<T> {
  const env = `FLEXNBD_${row.long.toUpperCase().replaceAll("-", "_")}`;
  return { once: false, ...row, kind: "value", env };
}

/** Completes a row of the option table. */
export function flagOption(row: Omit<FlagOption, "kind">): FlagOption {
  return { ...row, kind: "flag" };
}
