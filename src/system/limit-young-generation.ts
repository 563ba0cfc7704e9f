import { accessSync, constants } from "node:fs";

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
  /** Only on newer versions of Node.js, and not on every system: becomes another program, under the same process id. */
  readonly execve?: ((file: string, args: readonly string[], env: StartedProcess["env"]) => unknown) | undefined;
  /** Only when there is a channel to a parent, which would not outlive `execve`. */
  readonly send?: unknown;
}

/**
 * Starts the program anew with a limit of so much for a half of V8's young generation, where that would grow by more than
 * 100 MiB and nobody has set a limit. V8 takes it only at its start. To be called before anything was opened or printed; returns where there is
 * nothing to do, or no way to do it.
 */
export function limitYoungGeneration(started: StartedProcess, halfMiB: number): void {
  const { argv, argv0, execArgv, execPath, env, versions, execve } = started;
  if (execve === undefined || started.send !== undefined || Number.parseInt(versions.v8, 10) < SINCE_V8) return;
  // V8 takes either spelling.
  const given = [...execArgv, env["NODE_OPTIONS"] ?? ""].join(" ").replaceAll("_", "-");
  if (given.includes(OPTION) || !isExecutable(execPath)) return;
  const limit = `${OPTION}=${halfMiB}`;
  execve.call(started, execPath, [argv0, ...execArgv, limit, ...argv.slice(1)], env);
}

/** A failing `execve` aborts the process. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
