import { CommanderError } from "commander";

import { BadValue } from "../config/bad-value.ts";
import { badSetting } from "../config/setting.ts";
import type { GivenText, Maybe, Setting } from "../config/setting.ts";
import { UsageError } from "../config/usage-error.ts";
import { commanderCommand, optionsOf } from "./commander-command.ts";
import { detachedFrom, longForm } from "./long-form.ts";
import { COMMAND_NAMES } from "./option.ts";
import type { CommandName, FlagOption, ListOption, ParsedOption, ValueOption } from "./option.ts";

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

  /** A flag that is there, and where it comes from; undefined when it is absent. */
  flag(option: FlagOption): Maybe<true> {
    const label = `--${option.long}`;
    return this.has(option) ? { value: true, text: label, label, origin: "command line" } : undefined;
  }

  /** The option's value and where it comes from; undefined when it is absent. Throws UsageError when it is bad. */
  get<T>(option: ValueOption<T>): Maybe<T> {
    const typed = this.#typed(option).at(-1);
    if (typed !== undefined) return parsed(typed, option.parse);
    const inherited = this.#inherited(option);
    return inherited === undefined ? undefined : parsed(inherited, option.parseEnv);
  }

  /** The option's values in their order, all from the same place. Throws UsageError when one is bad. */
  list<T>(option: ListOption<T>): readonly Setting<T>[] {
    const typed = this.#typed(option);
    if (typed.length > 0) return typed.map((given) => parsed(given, option.parse));
    const inherited = this.#inherited(option);
    const texts = inherited?.text.split(option.separator).filter((text) => text !== "") ?? [];
    return texts.map((text) => parsed({ label: option.env, origin: "environment", text }, option.parseEnv));
  }

  #typed({ long }: ParsedOption<unknown>): GivenText[] {
    const texts = this.#values.get(long) ?? [];
    return texts.map((text) => ({ text, label: `--${long}`, origin: "command line" }));
  }

  #inherited({ env }: ParsedOption<unknown>): GivenText | undefined {
    const text = this.#env[env];
    // An empty variable is how many a service file says "not set".
    return text === undefined || text === "" ? undefined : { text, label: env, origin: "environment" };
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
    parser.parse(longForm(command, argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Who asks for help gets it, whatever else is wrong.
    if (!flags.includes("help")) throw unknownOrIncomplete(error);
  }
  const [stray] = parser.args;
  if (stray !== undefined && !flags.includes("help")) throw strayWord(stray, detachedFrom(command, argv, stray));
  return new GivenOptions(flags, values, env);
}

function parsed<T>(given: GivenText, parse: (text: string) => T): Setting<T> {
  try {
    return { ...given, value: parse(given.text) };
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw badSetting(given, error.message, error);
  }
}

function strayWord(word: string, option: ValueOption<unknown> | undefined): UsageError {
  if (COMMAND_NAMES.includes(word)) return new UsageError(`${JSON.stringify(word)} must come first`, { value: word });
  if (option === undefined) {
    return new UsageError(`${JSON.stringify(word)} is neither a command nor the value of an option`, { value: word });
  }
  const label = `--${option.long}`;
  const reason = `must be attached with '=', as in ${label}=${option.valueName}`;
  return badSetting({ text: word, label, origin: "command line" }, reason);
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
