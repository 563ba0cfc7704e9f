import { numberAt, parseFioJob, property } from "./fio-job.ts";

/** What one run of fio found. */
export interface FioResult {
  readonly operations: number;
  readonly operationsPerSecond: number;
  /** Latency from before the request is sent to its reply, in microseconds. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Reads fio's JSON of a single job that only reads or only writes. Throws for anything else, and for a failed job. */
export function parseFioResult(text: string): FioResult {
  const job = parseFioJob(text);
  const direction = [property(job, "read"), property(job, "write")].find((side) => numberAt(side, "total_ios") > 0);
  if (direction === undefined) throw new Error("fio completed no request");
  const percentiles = property(property(direction, "lat_ns"), "percentile");
  return {
    operations: numberAt(direction, "total_ios"),
    operationsPerSecond: numberAt(direction, "iops"),
    p50Us: numberAt(percentiles, "50.000000") / 1000,
    p99Us: numberAt(percentiles, "99.000000") / 1000,
  };
}
