import { fork } from "node:child_process";
import type { SearchReport } from "./search.ts";

/** Has a search done by as many processes, each with its own workloads, and adds up what they saw. `command` is the command's file. */
export async function shareOut(jobs: number, command: string, args: readonly string[]): Promise<SearchReport> {
  const reports = await Promise.all(
    Array.from({ length: jobs }, (_, job) => runJob(command, [...args, "--jobs", String(jobs), "--job", String(job)])),
  );
  const sum = (name: "histories" | "pruned" | "steps" | "known" | "violations"): number =>
    reports.reduce((total, report) => total + report[name], 0);
  return {
    histories: sum("histories"),
    pruned: sum("pruned"),
    steps: sum("steps"),
    known: sum("known"),
    violations: sum("violations"),
    firstViolation: reports.find(({ firstViolation }) => firstViolation !== undefined)?.firstViolation,
  };
}

/** Runs the command in a process of its own, which sends its report instead of printing it. */
function runJob(command: string, args: readonly string[]): Promise<SearchReport> {
  const job = fork(command, args, { execArgv: ["--enable-source-maps"] });
  return new Promise((resolve, reject) => {
    job.once("message", (report) => resolve(report as SearchReport));
    job.once("error", reject);
    job.once("exit", (code) => reject(new Error(`a job ended with status ${code} before it had reported`)));
  });
}
