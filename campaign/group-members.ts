import { readdir, readFile } from "node:fs/promises";

/** The processes of a group that are there and not dead: the parent and the children that it has forked. */
export async function groupMembers(groupId: number): Promise<number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, "utf8").catch(() => "")));
  return names.filter((_, index) => isMember(lines[index] ?? "", groupId)).map(Number);
}

/** Whether the text of /proc/PID/stat is that of a member. A daemon's zombie may stay for long. */
export function isMember(stat: string, groupId: number): boolean {
  // "pid (command) state parent group ...": the command may hold anything but ends at the last bracket.
  const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return group === String(groupId) && state !== "Z";
}

/** Sends a signal to all processes of a group, if there is any. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
