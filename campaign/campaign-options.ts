import { randomInt } from "node:crypto";

import { Command, InvalidArgumentError, Option } from "commander";

import type { Output } from "../bench/bench-options.ts";
import { FAULT_TEXTS, FAULTS } from "./fault.ts";
import type { Fault } from "./fault.ts";
import { SERVER_NAMES } from "./server-name.ts";
import type { ServerName } from "./server-name.ts";

const UNFLUSHED_MODES = ["log", "fua", "off"] as const;
const LARGEST_SEED = 2 ** 31 - 1;

/** How the proxy protects unflushed writes; off makes the campaign a control. */
export type UnflushedMode = (typeof UNFLUSHED_MODES)[number];

/** What a campaign is asked to do. */
export interface CampaignOptions {
  /** How many faults are to strike. */
  readonly faults: number;
  /** That of the first cycle; the next one has the next. */
  readonly seed: number;
  readonly unflushed: UnflushedMode;
  /** Which faults and servers; all when empty. */
  readonly fault: readonly Fault[];
  readonly server: readonly ServerName[];
  /** Go on after a cycle in which something was wrong. */
  readonly keepGoing: boolean;
  readonly json: string | undefined;
}

/** Reads the arguments. Throws a CommanderError when help was asked for, or after it was said what is wrong. */
export function parseCampaignOptions(argv: readonly string[], output: Output): CampaignOptions {
  const command = new Command("npm run campaign --")
    .description("Has real faults strike real servers behind the proxy, and looks for every byte that was written.")
    .addHelpText("after", `\nFaults:\n${FAULTS.map((name) => `  ${name.padEnd(12)}${FAULT_TEXTS[name]}\n`).join("")}`)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
    .option("--faults <count>", "how many strike", parseCount, 100)
    .option("--seed <number>", "of the first cycle; each one has the next (default: drawn)", parseSeed)
    .addOption(
      new Option("--unflushed <mode>", "how the proxy protects unflushed writes; off: a control, which must lose some")
        .choices(UNFLUSHED_MODES)
        .default("log"),
    )
    .option("--fault <name>", "only this one; repeatable", collectFault)
    .option("--server <name>", `only this one of ${SERVER_NAMES.join(", ")}; repeatable`, collectServer)
    .option("--keep-going", "go on after a cycle in which something was wrong")
    .option("--json <file>", "write everything there")
    .parse(argv, { from: "user" });
  const given = command.opts<Pick<CampaignOptions, "faults" | "unflushed"> & Partial<CampaignOptions>>();
  return {
    ...given,
    seed: given.seed ?? randomInt(LARGEST_SEED),
    fault: given.fault ?? [],
    server: given.server ?? [],
    keepGoing: given.keepGoing ?? false,
    json: given.json,
  };
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, at least 1.");
  return Number(text);
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > LARGEST_SEED) {
    throw new InvalidArgumentError(`It must be a whole number up to ${LARGEST_SEED}.`);
  }
  return Number(text);
}

function collectFault(text: string, before: readonly Fault[] = []): Fault[] {
  return [...before, oneOf(FAULTS, text)];
}

function collectServer(text: string, before: readonly ServerName[] = []): ServerName[] {
  return [...before, oneOf(SERVER_NAMES, text)];
}

function oneOf<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${names.join(", ")}.`);
  return found;
}
