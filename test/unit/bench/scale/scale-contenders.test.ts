import { describe, expect, it } from "vitest";

import type { Contender, Role } from "../../../../bench/contender.ts";
import { scaleContenders, takesPart } from "../../../../bench/scale/scale-contenders.ts";
import { withClients } from "../../../../bench/scale/scale-workload.ts";

function contender(name: string, role: Role, handshake: Contender["handshake"] = "newstyle"): Contender {
  return { name, role, handshake, command: () => [name] };
}

describe("scaleContenders", () => {
  it("are those that serve many, and ours twice", () => {
    const chosen = scaleContenders([
      contender("direct", "direct"),
      contender("fragile", "peer"),
      contender("peer", "resilient"),
      contender("original", "resilient", "oldstyle"),
      contender("ours", "ours"),
    ]);
    expect(chosen.map(({ name, processes, command }) => [name, processes, command?.(5, 6)])).toEqual([
      ["direct", undefined, ["direct"]],
      ["peer", undefined, ["peer"]],
      ["ours", undefined, ["ours", "--max-clients=64"]],
      ["ours x2 processes", 2, ["ours", "--max-clients=64"]],
    ]);
  });
});

describe("takesPart", () => {
  const one = contender("one", "ours");
  const two = { ...contender("two", "ours"), processes: 2 };
  const read = { name: "r", pattern: "randread", blockSizeBytes: 4096, depth: 4 } as const;
  const write = { ...read, pattern: "randwrite" } as const;

  it.each([
    [one, read, 1, true],
    [one, write, 64, true],
    [two, read, 1, false],
    [two, read, 4, true],
    [two, write, 4, false],
  ] as const)("of %j under %j with %i clients is %s", (who, workload, clients, expected) => {
    expect(takesPart(who, withClients(workload, clients))).toBe(expected);
  });
});
