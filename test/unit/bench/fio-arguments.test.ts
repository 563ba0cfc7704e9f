import { describe, expect, it } from "vitest";

import { crowdArguments, fillArguments, fioArguments } from "../../../bench/fio-arguments.ts";
import { WORKLOADS } from "../../../bench/workload.ts";

describe("fioArguments", () => {
  it("names pattern, block size, depth and target, and the time in whole milliseconds", () => {
    const workload = { name: "w", pattern: "randwrite", blockSizeBytes: 4096, depth: 16 } as const;
    const args = fioArguments(workload, "nbd://127.0.0.1:5/", 2.5);
    expect(args).toEqual(
      expect.arrayContaining([
        "--ioengine=nbd",
        "--uri=nbd://127.0.0.1:5/",
        "--rw=randwrite",
        "--bs=4096",
        "--iodepth=16",
        "--time_based",
        "--runtime=2500ms",
        "--output-format=json",
      ]),
    );
  });
});

describe("crowdArguments", () => {
  const workload = { name: "w", pattern: "randread", blockSizeBytes: 4096, depth: 4 } as const;
  const spread = (clients: number, uris: readonly string[]): string[] =>
    crowdArguments({ ...workload, clients }, uris, 1).filter((arg) => /^--(?:uri|numjobs)=/.test(arg));

  it("has a job for each client, reported as one", () => {
    expect(spread(16, ["nbd://a/"])).toEqual(["--uri=nbd://a/", "--numjobs=16"]);
    expect(crowdArguments(workload, ["nbd://a/"], 1)).toEqual(
      expect.arrayContaining(["--numjobs=1", "--group_reporting"]),
    );
  });

  it("spreads clients over several URIs, and the first get what is left", () => {
    expect(spread(5, ["nbd://a/", "nbd://b/"])).toEqual([
      ...["--uri=nbd://a/", "--numjobs=3"],
      ...["--uri=nbd://b/", "--numjobs=2"],
    ]);
  });
});

describe("fillArguments", () => {
  it("writes once, however long it takes", () => {
    const args = fillArguments("nbd://127.0.0.1:5/");
    expect(args).toContain("--rw=write");
    expect(args.filter((arg) => arg.startsWith("--time_based") || arg.startsWith("--runtime"))).toEqual([]);
  });
});

describe("WORKLOADS", () => {
  it("have names that tell direction, block size and depth", () => {
    for (const { name, pattern, blockSizeBytes, depth } of WORKLOADS) {
      const size = blockSizeBytes < 1024 * 1024 ? `${blockSizeBytes / 1024}k` : `${blockSizeBytes / 1024 / 1024}m`;
      expect(name).toBe(`${pattern.replace("rand", "")}-${size}-d${depth}`);
    }
  });
});
