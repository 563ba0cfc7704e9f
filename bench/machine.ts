import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Where and with what a run was made. Nothing in it names the machine or a folder on it. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryMib: number;
  readonly kernel: string;
  /** Runnable processes over the last minute, before the run began. */
  readonly load: number;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? "unknown",
    processors: all.length,
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    load: loadavg()[0] ?? 0,
  };
}

/** What a program says when it is asked something, in one line; undefined when it can't be run. */
export function answerOf(program: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** The versions of everything that takes part and is installed, by name. */
export function describeVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [name, flag] of [
    ["fio", "--version"],
    ["nbdkit", "--version"],
    ["qemu-nbd", "--version"],
    ["socat", "-V"],
  ] as const) {
    const version = /\d+(?:\.\d+)+/.exec(answerOf(name, flag) ?? "")?.[0];
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}
