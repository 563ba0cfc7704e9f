import { Spawned } from "./spawned.ts";

/** Runs a program to its end and returns its stdout; throws with all its output unless it exits with 0. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const child = new Spawned(program, args);
  const { status, signal } = await child.exited();
  if (status === 0) return child.stdout;
  const output = `${child.stdout}\n${child.stderr}`;
  throw new Error(`${program} ${args.join(" ")}: exit status ${status}, signal ${signal}\n${output}`);
}
