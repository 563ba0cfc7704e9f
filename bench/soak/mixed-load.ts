import { numberAt, parseFioJob, property } from "../fio-job.ts";

/** What one run of the mixed load did. */
export interface MixedResult {
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
}

/**
 * The arguments of a fio that reads and writes at random places, half of the time 4 KiB and half of the time 128 KiB,
 * with 16 requests in flight. After every 256 writes it flushes; with so many in flight fio then does so several times.
 */
export function mixedLoadArguments(uri: string, seconds: number): string[] {
  return [
    "--name=soak",
    "--ioengine=nbd",
    `--uri=${uri}`,
    "--rw=randrw",
    "--bssplit=4k/50:128k/50",
    "--fsync=256",
    "--iodepth=16",
    "--thread",
    "--norandommap",
    "--time_based",
    `--runtime=${Math.round(seconds * 1000)}ms`,
    "--output-format=json",
    "--eta=never",
  ];
}

/** Reads the JSON of such a fio. */
export function parseMixedResult(text: string): MixedResult {
  const job = parseFioJob(text);
  const count = (side: string): number => numberAt(property(job, side), "total_ios");
  return { reads: count("read"), writes: count("write"), flushes: count("sync") };
}
