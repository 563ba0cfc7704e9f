import { spawnSync } from "node:child_process";
import { hasInheritedDescriptors, passingDescriptors } from "./inherited-descriptors.ts";

/** The option of Node.js that limits one half of V8's young generation, in MiB. */
const OPTION = "--max-semi-space-size";
/** From this version of V8 on, a half may grow to 64 MiB, and what it has grown by is given back late. Before, it was 16. */
const SINCE_V8 = 13;

/** What is needed of a `process`. */
export interface StartedProcess {
  readonly argv: readonly string[];
  readonly argv0: string;
  readonly execArgv: readonly string[];
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly versions: { readonly v8: string };
  /** Only in newer versions of Node.js: becomes another program, under the same process id. */
  readonly execve?: ((file: string, args: readonly string[], env: StartedProcess["env"]) => unknown) | undefined;
  /** Only when there is a channel to a parent, which would not outlive `execve`. */
  readonly send?: unknown;
}

/** What is needed of the system that it runs on. */
export interface ProcessSystem {
  /** As `passingDescriptors`. */
  readonly descriptors: () => ReadonlyMap<number, string>;
  /** Whether this program may be started: `execve` aborts the process when it may not. */
  readonly starts: (program: string) => boolean;
}

const REAL_SYSTEM: ProcessSystem = {
  descriptors: passingDescriptors,
  starts: (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
};

/**
 * Starts the program anew with a limit of so much for a half of V8's young generation, where that would grow by more than
 * 100 MiB and nobody has set a limit. V8 takes it only at its start. To be called before anything was opened or printed; returns
 * where there is nothing to do, no way to do it, or something would be lost by it.
 */
export function limitYoungGeneration(started: StartedProcess, halfMiB: number, system = REAL_SYSTEM): void {
  const { argv, argv0, execArgv, execPath, env, versions, execve } = started;
  if (execve === undefined || started.send !== undefined || Number.parseInt(versions.v8, 10) < SINCE_V8) return;
  // V8 takes either spelling.
  const given = [...execArgv, env["NODE_OPTIONS"] ?? ""].join(" ").replaceAll("_", "-");
  if (given.includes(OPTION)) return;
  try {
    if (hasInheritedDescriptors(system.descriptors()) || !system.starts(execPath)) return;
    execve.call(started, execPath, [argv0, ...execArgv, `${OPTION}=${halfMiB}`, ...argv.slice(1)], env);
  } catch {
    // Not on this system, or not with this process's permissions: it runs as it was started.
  }
}
