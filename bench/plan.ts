import type { BenchOptions } from "./bench-options.ts";
import { chosenTrials } from "./chosen-trials.ts";
import type { ChosenTrial } from "./chosen-trials.ts";
import type { Contender, LeftOut } from "./contender.ts";
import { findProgram } from "./find-program.ts";
import { answerOf } from "./machine.ts";
import { otherContenders } from "./other-contenders.ts";
import { ownContenders } from "./own-contenders.ts";
import type { NodeBinary } from "./own-contenders.ts";
import { selectNames } from "./select-names.ts";
import type { Trial } from "./trial.ts";

/** Who takes part in what. */
export interface Plan {
  readonly trials: readonly ChosenTrial[];
  readonly contenders: readonly Contender[];
  readonly leftOut: readonly LeftOut[];
  readonly nodes: readonly NodeBinary[];
}

/** What the options ask for on this machine. `main` is the built main.js of ours. Throws when a name means nothing. */
export function makePlan(trials: readonly Trial[], options: BenchOptions, main: string): Plan {
  const paths = options.node.length === 0 ? [process.execPath] : options.node;
  const nodes = paths.map((path): NodeBinary => {
    const version = answerOf(path, "--version");
    if (version === undefined) throw new Error(`${path} does not run`);
    return { path, version };
  });
  const others = otherContenders(findProgram, process.env["FLEXNBD_PROXY"]);
  const ours = ownContenders({ main, variants: options.variant, builds: options.build, nodes });
  const contenders = [...others.contenders, ...ours];
  const names = contenders.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`there are two contenders with the name ${JSON.stringify(twice)}`);
  const chosen = selectNames(names, options.contender);
  return {
    trials: chosenTrials(trials, options),
    contenders: contenders.filter(({ name }) => chosen.includes(name)),
    leftOut: others.leftOut,
    nodes,
  };
}

/** The plan as text, a line for each part of it. */
export function describePlan({ trials, contenders, leftOut }: Plan): string {
  const lines = [
    ...trials.map(({ trial, workloads }) => `trial ${[`${trial.name}:`, workloads.join(", ")].join(" ").trim()}`),
    `contenders: ${contenders.map(({ name }) => name).join(", ")}`,
    ...leftOut.map(({ name, reason }) => `left out: ${name} (${reason})`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** All trials and their questions, a line each. */
export function describeTrials(trials: readonly Trial[]): string {
  return trials
    .map(({ name, about, onRequest }) => `${name}: ${about}${onRequest === true ? " Only with --trial." : ""}\n`)
    .join("");
}
