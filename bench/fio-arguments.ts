import assert from "node:assert";

import type { Workload } from "./workload.ts";

/** The arguments of a fio that repeats a workload on the export at `uri` for so long and reports in JSON. */
export function fioArguments(workload: Workload, uri: string, seconds: number): string[] {
  return [...common(workload, uri), "--time_based", `--runtime=${Math.round(seconds * 1000)}ms`, "--norandommap"];
}

/**
 * The arguments of a fio that does the same with the workload's clients spread over several URIs as evenly as can be, and
 * reports them as one.
 */
export function crowdArguments(workload: Workload, uris: readonly string[], seconds: number): string[] {
  const clients = workload.clients ?? 1;
  assert(clients >= uris.length, "each of them has a client");
  return uris.flatMap((uri, i) => {
    const share = Math.floor((clients + uris.length - 1 - i) / uris.length);
    return [...fioArguments(workload, uri, seconds), `--numjobs=${share}`, "--group_reporting"];
  });
}

/** The arguments of a fio that writes every byte of the export at `uri` once. */
export function fillArguments(uri: string): string[] {
  return common({ name: "fill", pattern: "write", blockSizeBytes: 1024 * 1024, depth: 4 }, uri);
}

/** The arguments of a fio that writes so many bytes of the export at `uri`, each place once, in the workload's pattern. */
export function writeOnceArguments(workload: Workload, uri: string, sizeBytes: number): string[] {
  return [...common(workload, uri), `--size=${sizeBytes}`];
}

function common(workload: Workload, uri: string): string[] {
  return [
    `--name=${workload.name}`,
    "--ioengine=nbd",
    `--uri=${uri}`,
    `--rw=${workload.pattern}`,
    `--bs=${workload.blockSizeBytes}`,
    `--iodepth=${workload.depth}`,
    "--thread",
    // With few in flight, sending takes most of the time, which fio's completion latency leaves out.
    "--clat_percentiles=0",
    "--lat_percentiles=1",
    "--output-format=json",
    "--eta=never",
  ];
}
