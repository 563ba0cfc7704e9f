import { readdirSync, readFileSync } from "node:fs";

/** The kernel counts processor time in hundredths of a second here, whatever its own tick is. */
const TICKS_PER_SECOND = 100;

/** What the processes of one group have used so far. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  /** The sum of each living process's highest resident memory. */
  readonly peakMemoryKib: number;
}

/** One line of /proc/PID/stat, as far as it matters here. */
export interface ProcessStat {
  readonly groupId: number;
  /** User and system time of all threads, and of the children that ended and were waited for. */
  readonly cpuTicks: number;
  /** The same without the children. */
  readonly ownCpuTicks: number;
}

/**
 * The usage of all processes of a group. Who ended is counted in the one who waited for it. It takes a millisecond or two; file
 * by file in the background it would take ten times as much, in five threads, from what is being measured.
 */
export function usageOfGroup(groupId: number): ProcessUsage {
  for (;;) {
    const { pids, usage } = readOnce(groupId);
    // One that ends in between is missed if it is gone itself but was not yet counted in the one who waits for it.
    const after = membersOf(groupId);
    if (pids.every((pid) => after.has(pid))) return usage;
  }
}

/** The usage of several groups together. */
export function usageOfGroups(groups: readonly { readonly id: number }[]): ProcessUsage {
  const all = groups.map(({ id }) => usageOfGroup(id));
  return {
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakMemoryKib: all.reduce((sum, { peakMemoryKib }) => sum + peakMemoryKib, 0),
  };
}

function readOnce(groupId: number): { pids: number[]; usage: ProcessUsage } {
  const members = membersOf(groupId);
  let cpuTicks = 0;
  let peakMemoryKib = 0;
  for (const [pid, stat] of members) {
    cpuTicks += stat.cpuTicks;
    peakMemoryKib += parsePeakMemory(readIfThere(`/proc/${pid}/status`) ?? "");
  }
  return { pids: [...members.keys()], usage: { cpuSeconds: cpuTicks / TICKS_PER_SECOND, peakMemoryKib } };
}

function membersOf(groupId: number): Map<number, ProcessStat> {
  const members = new Map<number, ProcessStat>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = readIfThere(`/proc/${name}/stat`);
    const stat = text === undefined ? undefined : parseProcessStat(text);
    if (stat?.groupId === groupId) members.set(Number(name), stat);
  }
  return members;
}

/** The processor time of the thread that a process began with; 0 when it has ended. */
export function mainThreadSeconds(pid: number): number {
  const text = readIfThere(`/proc/${pid}/task/${pid}/stat`);
  return text === undefined ? 0 : parseProcessStat(text).ownCpuTicks / TICKS_PER_SECOND;
}

/** Reads the text of /proc/PID/stat. */
export function parseProcessStat(text: string): ProcessStat {
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [, , groupId] = fields;
  const times = fields.slice(11, 15).map(Number);
  if (groupId === undefined || times.length < 4) throw new Error(`not the text of /proc/PID/stat: ${text}`);
  const sum = (ticks: readonly number[]): number => ticks.reduce((total, some) => total + some, 0);
  return { groupId: Number(groupId), cpuTicks: sum(times), ownCpuTicks: sum(times.slice(0, 2)) };
}

/** The highest resident memory in KiB that the text of /proc/PID/status tells; 0 for a process that has no memory. */
export function parsePeakMemory(text: string): number {
  return Number(/^VmHWM:\s+(?<kib>\d+) kB$/m.exec(text)?.groups?.["kib"] ?? 0);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Processes come and go.
    return undefined;
  }
}
