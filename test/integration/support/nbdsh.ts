import { run } from "./run.ts";
import { Spawned } from "./spawned.ts";

// Debian's libnbd module belongs to Debian's python3; another one may come first in the PATH.
const DEBIANS_PYTHON = `PATH=/usr/bin:${process.env["PATH"] ?? ""}`;

/** Runs a Python script with a connected libnbd handle `h`; returns what it printed, throws unless it exits with 0. */
export function nbdsh(uri: string, script: string): Promise<string> {
  return run("env", DEBIANS_PYTHON, "nbdsh", "-u", uri, "-c", script);
}

/** The same with a handle that is not yet connected, for a script that asks for something first; `uri` is where to. */
export function nbdshBefore(uri: string, script: string): Promise<string> {
  return run("env", ...argsBefore(uri, script));
}

/** The same, without waiting for its end. */
export function startNbdsh(uri: string, script: string): Spawned {
  return new Spawned("env", argsBefore(uri, script));
}

function argsBefore(uri: string, script: string): string[] {
  return [DEBIANS_PYTHON, "nbdsh", "-c", `uri = ${JSON.stringify(uri)}`, "-c", script];
}
