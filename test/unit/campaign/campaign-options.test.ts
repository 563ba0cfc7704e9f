import { describe, expect, it } from "vitest";

import { parseCampaignOptions } from "../../../campaign/campaign-options.ts";

function parse(...argv: readonly string[]) {
  return parseCampaignOptions(argv, { out: () => {}, error: () => {} });
}

describe("parseCampaignOptions", () => {
  it("lets a hundred faults of all kinds strike by default", () => {
    expect(parse("--seed", "7")).toEqual({
      faults: 100,
      seed: 7,
      unflushed: "log",
      fault: [],
      server: [],
      keepGoing: false,
      json: undefined,
    });
  });

  it("draws a seed when none is given", () => {
    const seeds = Array.from({ length: 5 }, () => parse().seed);
    expect(new Set(seeds).size).toBeGreaterThan(1);
    for (const seed of seeds) expect(parse("--seed", String(seed)).seed).toBe(seed);
  });

  it("takes faults and servers as often as they are given", () => {
    const argv = ["--fault", "drop", "--fault=kill", "--server", "nbd-server", "--server", "nbdkit"];
    expect(parse(...argv)).toMatchObject({ fault: ["drop", "kill"], server: ["nbd-server", "nbdkit"] });
    expect(parse()).toMatchObject({ fault: [], server: [] });
  });

  it("takes the rest", () => {
    expect(parse("--faults=500", "--unflushed", "off", "--keep-going", "--json", "f")).toMatchObject({
      faults: 500,
      unflushed: "off",
      keepGoing: true,
      json: "f",
    });
  });

  it.each([
    [["--faults", "0"], "whole number"],
    [["--seed", "-1"], "whole number"],
    [["--seed", "9999999999"], "whole number"],
    [["--unflushed", "maybe"], "Allowed choices are log, fua, off"],
    [["--fault", "fire"], "one of power-loss, kill"],
    [["--server", "qemu"], "one of nbdkit-cache, nbdkit"],
    [["--fast"], "unknown option"],
    [["everything"], "too many arguments"],
  ])("refuses %j", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  it("says in the help what each fault is", () => {
    let text = "";
    const output = { out: (part: string) => void (text += part), error: () => {} };
    expect(() => parseCampaignOptions(["--help"], output)).toThrow("outputHelp");
    expect(text).toContain("loses what it has not flushed");
  });
});
