import type { ProcessGroup } from "../bench/process-groups.ts";
import { BLOCK_BYTES } from "./block-tag.ts";
import type { Finding } from "./finding.ts";

/** Some of it is still to be written when the next fault strikes, and it is short enough to be repeated. */
const SIZE = "8m";
const BLOCKS_PER_SECOND = 1500;

/** What one run of fio came to. */
export interface FioRun {
  readonly operations: number;
  readonly bytesWritten: number;
  readonly bytesRead: number;
  readonly findings: readonly Finding[];
  /** Why it failed, other than by a block that is wrong. */
  readonly failure: string | undefined;
}

/** The arguments of a fio that writes every block of a part of the disk once, in random order, and then reads all back. */
export function fioArguments(uri: string, folder: string, seed: number, fsyncEvery: number): string[] {
  return [
    "--name=campaign",
    "--ioengine=nbd",
    `--uri=${uri}`,
    `--aux-path=${folder}`,
    "--rw=randwrite",
    "--bs=4k",
    `--size=${SIZE}`,
    "--iodepth=16",
    `--rate_iops=${BLOCKS_PER_SECOND}`,
    `--randseed=${seed}`,
    `--fsync=${fsyncEvery}`,
    "--verify=crc32c",
    "--verify_fatal=1",
    "--verify_state_save=0",
    "--output-format=json",
    "--eta=never",
  ];
}

/** Waits for the end of such a fio and sums it up. */
export async function fioOutcome(fio: ProcessGroup): Promise<FioRun> {
  const outcome = await fio.ended;
  if ("error" in outcome) throw outcome.error;
  return summarizeFio(outcome.status, fio.stdout, fio.stderr);
}

/** Sums up a run of fio from its exit status, its JSON and its complaints. */
export function summarizeFio(status: number | null, stdout: string, stderr: string): FioRun {
  const findings = findingsIn(stderr);
  const figures = figuresIn(stdout);
  const isGood = status === 0 && figures !== undefined;
  const failure = isGood || findings.length > 0 ? undefined : `fio ended with status ${status}: ${stderr.trim()}`;
  return { ...(figures ?? { operations: 0, bytesWritten: 0, bytesRead: 0 }), findings, failure };
}

/** It complains in several lines about each block that is wrong; in one of them, about where it is. */
function findingsIn(stderr: string): Finding[] {
  const lines = stderr.split("\n").filter((line) => line.includes("verify"));
  const [text] = lines;
  if (text === undefined) return [];
  const offset = Number(/offset[ =](?<offset>\d+)/.exec(lines.join(" "))?.groups?.["offset"] ?? 0);
  return [{ kind: "unverified", block: Math.floor(offset / BLOCK_BYTES), text: `fio: ${text.trim()}` }];
}

function figuresIn(stdout: string): Pick<FioRun, "operations" | "bytesWritten" | "bytesRead"> | undefined {
  // Notes of the engine may come before it.
  const start = stdout.indexOf("{");
  if (start === -1) return undefined;
  const report = JSON.parse(stdout.slice(start)) as {
    readonly jobs: readonly { readonly read: Direction; readonly write: Direction }[];
  };
  const [job] = report.jobs;
  if (job === undefined) return undefined;
  const { read, write } = job;
  return { operations: read.total_ios + write.total_ios, bytesWritten: write.io_bytes, bytesRead: read.io_bytes };
}

interface Direction {
  readonly io_bytes: number;
  readonly total_ios: number;
}
