import { run } from "./run.ts";

/** Runs a Python script with a connected libnbd handle `h`; returns what it printed, throws unless it exits with 0. */
export function nbdsh(uri: string, script: string): Promise<string> {
  // Debian's libnbd module belongs to Debian's python3; another one may come first in the PATH.
  const path = `PATH=/usr/bin:${process.env["PATH"] ?? ""}`;
  return run("env", path, "nbdsh", "-u", uri, "-c", script);
}
