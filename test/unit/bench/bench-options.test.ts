import { describe, expect, it } from "vitest";

import { parseBenchOptions } from "../../../bench/bench-options.ts";

function parse(...argv: readonly string[]) {
  return parseBenchOptions(argv, { out: () => {}, error: () => {} });
}

describe("parseBenchOptions", () => {
  it("measures everything in five rounds by default", () => {
    expect(parse()).toEqual({
      rounds: 5,
      seconds: 2.5,
      warmup: 5,
      sizeMib: 1024,
      outages: 20,
      outageSeconds: { minSeconds: 1, maxSeconds: 10 },
      soakMinutes: 10,
      trial: [],
      workload: [],
      contender: [],
      node: [],
      variant: [],
      build: [],
      json: undefined,
      list: false,
    });
  });

  it("takes figures and a file", () => {
    const options = parse(
      "--rounds",
      "7",
      "--seconds=1.5",
      "--warmup",
      "2",
      "--size-mib",
      "64",
      "--json",
      "f",
      "--list",
    );
    expect(options).toMatchObject({ rounds: 7, seconds: 1.5, warmup: 2, sizeMib: 64, json: "f", list: true });
  });

  it("takes what the trials of recovery and of endurance are to do", () => {
    const options = parse("--outages=3", "--outage-seconds=0.5-2.5", "--soak-minutes=0.5");
    expect(options).toMatchObject({
      outages: 3,
      outageSeconds: { minSeconds: 0.5, maxSeconds: 2.5 },
      soakMinutes: 0.5,
    });
  });

  it("takes trials, filters, nodes, variants and builds as often as they are given", () => {
    const options = parse(
      ...[
        "--trial",
        "scale",
        "--trial=soak",
        "--workload",
        "read",
        "--workload",
        "write-1m",
        "--contender",
        "socat",
        "--node",
        "/a",
        "--node",
        "/b",
      ],
      ...["--variant", "cached:--cache=16M --upstream nbd://x:1/", "--variant=quiet:-q", "--build", "old:/c/main.js"],
    );
    expect(options).toMatchObject({
      trial: ["scale", "soak"],
      workload: ["read", "write-1m"],
      contender: ["socat"],
      node: ["/a", "/b"],
      variant: [
        { name: "cached", text: "--cache=16M --upstream nbd://x:1/" },
        { name: "quiet", text: "-q" },
      ],
      build: [{ name: "old", text: "/c/main.js" }],
    });
  });

  it("does not carry filters over from one call to the next", () => {
    parse("--workload", "read");
    expect(parse().workload).toEqual([]);
  });

  it.each([
    [["--rounds", "0"], "whole number"],
    [["--rounds", "2.5"], "whole number"],
    [["--seconds", "0"], "number of seconds"],
    [["--seconds", "x"], "number of seconds"],
    [["--warmup", "1.2.3"], "number of seconds"],
    [["--outages", "0"], "whole number"],
    [["--outage-seconds", "5"], "two numbers"],
    [["--outage-seconds", "0-5"], "two numbers"],
    [["--outage-seconds", "5-1"], "two numbers"],
    [["--outage-seconds", "1-60"], "two numbers"],
    [["--outage-seconds", "1-2-3"], "two numbers"],
    [["--soak-minutes", "0"], "number of minutes"],
    [["--soak-minutes", "long"], "number of minutes"],
    [["--variant", "cached"], "a colon"],
    [["--variant", "a:-q", "--variant", "a:-v"], "taken"],
    [["--fast"], "unknown option"],
    [["everything"], "too many arguments"],
  ])("refuses %j", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  it("shows the help where it is told to", () => {
    let text = "";
    const output = { out: (part: string) => void (text += part), error: () => {} };
    expect(() => parseBenchOptions(["--help"], output)).toThrow("outputHelp");
    expect(text).toContain("--rounds <count>");
  });
});
