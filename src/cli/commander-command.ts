import { Command, Option } from "commander";

import type { AnyOption, CommandName, Meaning } from "./option.ts";
import { OPTION_TABLE } from "./option-table.ts";

/** Wide enough for two columns, and the same whatever the terminal: the text can be compared and piped. */
const HELP_COLUMNS = 80;

const USAGE: Readonly<
  Record<CommandName, { readonly name: string; readonly usage: string; readonly description: string }>
> = {
  proxy: {
    name: "flexnbd-proxy",
    usage: "-l ADDR [-p PORT] -C ADDR [-P PORT] [OPTION...]",
    description: "Stands between NBD clients and their server and keeps the disk alive while the server goes away.",
  },
  serve: {
    name: "flexnbd-proxy serve",
    usage: "[--file PATH | --memory SIZE] [OPTION...]",
    description: "Serves a file or some memory as an NBD export: a small server to try things against.",
  },
  demo: {
    name: "flexnbd-proxy demo",
    usage: "[OPTION...]",
    description:
      "Copies data through the proxy while the server behind it is killed and restarted, and compares every byte.",
  },
};

/** The rows of the option table that one command knows. */
export function optionsOf(command: CommandName): AnyOption[] {
  return Object.values(OPTION_TABLE).filter((option) => meaningFor(option, command) !== undefined);
}

/** A commander command made from the option table; it writes nothing and ends nothing, but throws CommanderError. */
export function commanderCommand(name: CommandName): Command {
  const { name: title, usage, description } = USAGE[name];
  const command = new Command(title)
    .usage(usage)
    .description(description)
    .helpOption(false)
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .configureHelp({ helpWidth: HELP_COLUMNS, minWidthToWrap: 20, optionTerm });
  for (const option of optionsOf(name)) {
    const meaning = meaningFor(option, name);
    if (meaning !== undefined) command.addOption(new Option(flagsOf(option), descriptionOf(option, meaning)));
  }
  return command;
}

function meaningFor(option: AnyOption, command: CommandName): Meaning | undefined {
  return option.meanings[command];
}

function flagsOf(option: AnyOption): string {
  const names = `${option.short === undefined ? "" : `-${option.short}, `}--${option.long}`;
  if (option.kind === "flag") return names;
  const mayStandAlone = option.kind === "value" && option.impliedText !== undefined;
  return mayStandAlone ? `${names} [${option.valueName}]` : `${names} <${option.valueName}>`;
}

/** As in manual pages, where commander has `<ADDR>` and ` [BYTES]`; long names below each other. */
function optionTerm({ short, flags }: Option): string {
  return `${short === undefined ? "    " : ""}${flags.replace(" [", "[=").replaceAll(/[<>]/g, "")}`;
}

function descriptionOf(option: AnyOption, meaning: Meaning): string {
  if (option.kind === "flag") return meaning.help;
  const standsIn = meaning.default === undefined ? option.env : `${option.env}, default: ${meaning.default}`;
  return `${meaning.help} [${standsIn}]`;
}
