import { Command, InvalidArgumentError, Option } from "commander";

import type { Named } from "./own-contenders.ts";
import type { OutageRange } from "./recovery/outage-lengths.ts";

/** What a run of the bench is asked to do. */
export interface BenchOptions {
  readonly rounds: number;
  /** How long each contender is measured in a round. */
  readonly seconds: number;
  /** How long each contender works before the first round. */
  readonly warmup: number;
  readonly sizeMib: number;
  /** How many outages the trial of recovery has, and how long they are. */
  readonly outages: number;
  readonly outageSeconds: OutageRange;
  /** How long the trial of endurance works. */
  readonly soakMinutes: number;
  /** Which trials; when empty, all that need not be asked for. */
  readonly trial: readonly string[];
  /** Which workloads and contenders; all when empty. */
  readonly workload: readonly string[];
  readonly contender: readonly string[];
  /** Node binaries to run ours under; the one that runs the bench when empty. */
  readonly node: readonly string[];
  readonly variant: readonly Named[];
  readonly build: readonly Named[];
  readonly json: string | undefined;
  readonly list: boolean;
}

/** Where commander's help and complaints go. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

type WithDefault = Pick<
  BenchOptions,
  "rounds" | "seconds" | "warmup" | "sizeMib" | "outages" | "outageSeconds" | "soakMinutes"
>;

/** Reads the arguments. Throws a CommanderError when help was asked for, or after it was said what is wrong. */
export function parseBenchOptions(argv: readonly string[], output: Output): BenchOptions {
  const command = new Command("npm run bench --")
    .description("Measures the proxy beside its peers, on one machine, in rounds that take turns.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
    .option("--rounds <count>", "how often each contender is measured", parseCount, 5)
    .option("--seconds <seconds>", "for how long each time", parseSeconds, 2.5)
    .option("--warmup <seconds>", "for how long each contender works before the first round", parseSeconds, 5)
    .addOption(new Option("--size-mib <count>", "the disk's size").argParser(parseCount).default(1024))
    .option("--outages <count>", "how many outages in the trial recovery", parseCount, 20)
    .addOption(
      new Option("--outage-seconds <min-max>", "how long they are, from the shortest to the longest")
        .argParser(parseRange)
        .default({ minSeconds: 1, maxSeconds: 10 }, "1-10"),
    )
    .option("--soak-minutes <minutes>", "how long the load in the trial soak", parseMinutes, 10)
    .option("--trial <name>", "only this trial; repeatable, and the only way to have it soak", collect)
    .option("--workload <name>", "only those with these words in the name, or =NAME; repeatable", collect)
    .option("--contender <name>", "only those with these words in the name, or =NAME; repeatable", collect)
    .option("--node <path>", "run ours under this node; repeatable, all in one run", collect)
    .option("--variant <name:options>", "run ours with these options as well; repeatable", collectNamed)
    .option("--build <name:path>", "run another build's main.js as well; repeatable", collectNamed)
    .option("--json <file>", "write every figure there")
    .option("--list", "say which trials, workloads and contenders there are, and do nothing")
    .parse(argv, { from: "user" });
  const given = command.opts<WithDefault & Partial<BenchOptions>>();
  return {
    ...given,
    // Defaults that the help need not show.
    trial: given.trial ?? [],
    workload: given.workload ?? [],
    contender: given.contender ?? [],
    node: given.node ?? [],
    variant: given.variant ?? [],
    build: given.build ?? [],
    json: given.json,
    list: given.list ?? false,
  };
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, at least 1.");
  return Number(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^[\d.]+$/.test(text) || !(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError("It must be a number of seconds, from 0.1 to 3600.");
  }
  return seconds;
}

/** No longer than the client's patience allows, which must outlast the outage and all that a peer waits after it. */
const OUTAGE_SECONDS_MAX = 25;

function parseRange(text: string): OutageRange {
  const [minSeconds = Number.NaN, maxSeconds = Number.NaN] = text.split("-").map(Number);
  const isRange = minSeconds >= 0.1 && minSeconds <= maxSeconds && maxSeconds <= OUTAGE_SECONDS_MAX;
  if (!/^[\d.]+-[\d.]+$/.test(text) || !isRange) {
    throw new InvalidArgumentError(`It must be two numbers of seconds, as in 1-10, from 0.1 to ${OUTAGE_SECONDS_MAX}.`);
  }
  return { minSeconds, maxSeconds };
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!/^[\d.]+$/.test(text) || !(minutes >= 0.05 && minutes <= 10_000)) {
    throw new InvalidArgumentError("It must be a number of minutes, from 0.05 to 10000.");
  }
  return minutes;
}

function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function collectNamed(text: string, before: readonly Named[] = []): Named[] {
  const { name, text: rest } = /^(?<name>[^:]+):(?<text>.+)$/s.exec(text)?.groups ?? {};
  if (name === undefined || rest === undefined)
    throw new InvalidArgumentError("It must be a name, a colon and the rest.");
  if (before.some((named) => named.name === name)) throw new InvalidArgumentError("The name is taken.");
  return [...before, { name, text: rest }];
}
