import { CommanderError } from "commander";

import { BadValue } from "../config/bad-value.ts";
import { badSetting } from "../config/setting.ts";
import type { GivenText, Maybe } from "../config/setting.ts";
import { UsageError } from "../config/usage-error.ts";
import { commanderCommand, optionsOf } from "./commander-command.ts";
import { COMMAND_NAMES } from "./option.ts";
import type { CommandName, FlagOption, ValueOption } from "./option.ts";

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What one command line and the environment say, option by option. */
export class GivenOptions {
  /** Long names of the flags, in the order in which they were given. */
  readonly flags: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #env: Environment;

  constructor(flags: readonly string[], values: ReadonlyMap<string, readonly string[]>, env: Environment) {
    this.flags = flags;
    this.#values = values;
    this.#env = env;
  }

  has(option: FlagOption): boolean {
    return this.flags.includes(option.long);
  }

  /** The option's value and where it comes from; undefined when it is absent. Throws UsageError when it is bad. */
  get<T>(option: ValueOption<T>): Maybe<T> {
    const raw = this.#raw(option);
    if (raw === undefined) return undefined;
    try {
      return { ...raw, value: option.parse(raw.text) };
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      throw badSetting(raw, error.message, error);
    }
  }

  #raw(option: ValueOption<unknown>): GivenText | undefined {
    const texts = this.#values.get(option.long) ?? [];
    const text = texts.at(-1);
    if (text !== undefined) {
      const raw = { text, label: `--${option.long}`, origin: "command line" } as const;
      if (option.once && texts.length > 1) throw badSetting(raw, "is one too many; the option can be given once");
      return raw;
    }
    // An empty variable is how many a service file says "not set".
    const variable = this.#env[option.env];
    if (variable === undefined || variable === "") return undefined;
    return { text: variable, label: option.env, origin: "environment" };
  }
}

/** Reads the options of one command. Throws UsageError for what the command doesn't know and for missing values. */
export function givenOptions(command: CommandName, argv: readonly string[], env: Environment): GivenOptions {
  const flags: string[] = [];
  const values = new Map<string, string[]>();
  const parser = commanderCommand(command);
  for (const option of optionsOf(command)) {
    parser.on(`option:${option.long}`, (text: string) => {
      if (option.kind === "flag") flags.push(option.long);
      else values.set(option.long, [...(values.get(option.long) ?? []), text]);
    });
  }
  try {
    parser.parse(withLongEquals(command, argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Who asks for help gets it, whatever else is wrong.
    if (!flags.includes("help")) throw unknownOrIncomplete(error);
  }
  const [stray] = parser.args;
  if (stray !== undefined && !flags.includes("help")) throw strayWord(stray);
  return new GivenOptions(flags, values, env);
}

/**
 * The arguments with `-p=1234` as `--port=1234`: the manual of the original uses the form, getopt and commander would
 * take the value to be `=1234`.
 */
function withLongEquals(command: CommandName, argv: readonly string[]): string[] {
  const options = optionsOf(command).filter(({ short }) => short !== undefined);
  const find = (letter: string | undefined) => options.find(({ short }) => short === letter);
  const result: string[] = [];
  let isValue = false;
  for (const [i, arg] of argv.entries()) {
    if (arg === "--" && !isValue) return [...result, ...argv.slice(i)];
    const { flags = "", letter, text = "" } = (isValue ? null : SHORT_EQUALS.exec(arg))?.groups ?? {};
    const option = find(letter);
    if (option?.kind === "value" && Array.from(flags).every((flag) => find(flag)?.kind === "flag")) {
      if (flags !== "") result.push(`-${flags}`);
      result.push(`--${option.long}=${text}`);
    } else {
      result.push(arg);
    }
    // What follows an option is its value, whatever it looks like.
    isValue = !isValue && optionsOf(command).some((row) => row.kind === "value" && namesOf(row).includes(arg));
  }
  return result;
}

/** `-p=1234`, also behind flags: `-vp=1234`. */
const SHORT_EQUALS = /^-(?<flags>[a-z]*)(?<letter>[a-z])=(?<text>.*)$/is;

function namesOf({ long, short }: ValueOption<unknown> | FlagOption): string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
}

function strayWord(word: string): UsageError {
  const problem = COMMAND_NAMES.includes(word) ? "must come first" : "is neither a command nor the value of an option";
  return new UsageError(`${JSON.stringify(word)} ${problem}`, { value: word });
}

/** Commander names the option in quotes, and knows similar ones. */
function unknownOrIncomplete(error: CommanderError): UsageError {
  const named = /'(?<option>.*)'/s.exec(error.message)?.groups?.["option"] ?? "";
  if (error.code === "commander.optionMissingArgument") {
    const option = /--[a-z-]+/.exec(named)?.[0] ?? named;
    return new UsageError(`${option} needs a value`, { option, cause: error });
  }
  const suggestion = /\(Did you mean [^\n]*\)$/.exec(error.message)?.[0];
  const message = `${JSON.stringify(named)} is not an option`;
  return new UsageError(suggestion === undefined ? message : `${message} ${suggestion}`, {
    option: named,
    cause: error,
  });
}
