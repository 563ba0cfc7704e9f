import { fork } from "node:child_process";
import type { Campaign, CampaignReport } from "./simulate.ts";

/** A campaign of a known length. */
export type CountedCampaign = Campaign & { readonly histories: number; readonly enough: number };

/**
 * Shares a campaign out to as many processes, each with its own stretch of seeds, and adds up what they saw. `command` is the
 * campaign command's file.
 */
export async function shareOut(campaign: CountedCampaign, jobs: number, command: string): Promise<CampaignReport> {
  const startMs = performance.now();
  const { firstSeed, histories } = campaign;
  const edges = Array.from({ length: jobs + 1 }, (_, job) => Math.floor((histories * job) / jobs));
  const stretches = edges.slice(1).map((end, job) => {
    const start = edges[job] ?? 0;
    return runJob({ ...campaign, firstSeed: firstSeed + start, histories: end - start }, command);
  });
  const reports = await Promise.all(stretches);
  const sum = (name: "histories" | "operations" | "faults" | "connections" | "turns"): number =>
    reports.reduce((total, report) => total + report[name], 0);
  return {
    histories: sum("histories"),
    operations: sum("operations"),
    faults: sum("faults"),
    connections: sum("connections"),
    turns: sum("turns"),
    failures: reports.flatMap((report) => report.failures),
    tookMs: performance.now() - startMs,
  };
}

/** Runs the campaign command in a process of its own, which sends its report instead of printing it. */
function runJob(campaign: CountedCampaign, command: string): Promise<CampaignReport> {
  const { firstSeed, histories, mutation, world, enough } = campaign;
  const numbers = ["--seed", String(firstSeed), "--histories", String(histories), "--enough", String(enough)];
  const control = mutation === undefined ? [] : ["--mutation", mutation];
  const place = world === undefined ? [] : ["--world", world];
  const job = fork(command, [...numbers, ...control, ...place], { execArgv: ["--enable-source-maps"] });
  return new Promise((resolve, reject) => {
    job.once("message", (report) => resolve(report as CampaignReport));
    job.once("error", reject);
    job.once("exit", (code) => reject(new Error(`a job ended with status ${code} before it had reported`)));
  });
}
