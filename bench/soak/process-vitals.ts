import { readdir, readFile } from "node:fs/promises";

/** What one process has resident now, and what its threads have used so far. */
export interface ProcessVitals {
  readonly residentKib: number;
  /** The time that its threads were on a processor. */
  readonly cpuMs: number;
  /** How often its threads gave up the processor to wait for something: each is woken once for each. */
  readonly waits: number;
}

/** The vitals of a process. Threads that have ended no longer count. */
export async function vitalsOf(pid: number): Promise<ProcessVitals> {
  const residentKib = parseResidentMemory(await readFile(`/proc/${pid}/status`, "utf8"));
  let cpuMs = 0;
  let waits = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    // Finer than the ticks of /proc/PID/stat.
    cpuMs += parseCpuTime(await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8"));
    waits += parseWaits(await readFile(`/proc/${pid}/task/${thread}/status`, "utf8"));
  }
  return { residentKib, cpuMs, waits };
}

/** The resident memory in KiB that the text of /proc/PID/status tells. */
export function parseResidentMemory(text: string): number {
  return numberIn(text, /^VmRSS:\s+(?<number>\d+) kB$/m);
}

/** The time on a processor in milliseconds that the text of a schedstat tells. */
export function parseCpuTime(text: string): number {
  //     TIME_ON_PROCESSOR_NS TIME_RUNNABLE_NS TIMESLICES
  return numberIn(text, /^(?<number>\d+) \d+ \d+$/m) / 1e6;
}

/** How often a thread gave up the processor by itself, as the text of its status tells. */
export function parseWaits(text: string): number {
  return numberIn(text, /^voluntary_ctxt_switches:\s+(?<number>\d+)$/m);
}

function numberIn(text: string, pattern: RegExp): number {
  const number = pattern.exec(text)?.groups?.["number"];
  if (number === undefined) throw new Error(`nothing like ${String(pattern)} in ${JSON.stringify(text)}`);
  return Number(number);
}
