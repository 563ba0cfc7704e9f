import { describe, expect, it } from "vitest";

import {
  limitYoungGeneration,
  type ProcessSystem,
  type StartedProcess,
} from "../../../src/system/limit-young-generation.ts";

const LIMIT = "--max-semi-space-size=16";

/** How a process with these properties, else as on Node 24, is started anew; undefined when it is not. */
function startedAnew(fields: Partial<StartedProcess>, system: Partial<ProcessSystem> = {}): unknown[] | undefined {
  let call: unknown[] | undefined;
  const started: StartedProcess = {
    argv: ["/usr/bin/node", "/opt/main.js", "-C", "host"],
    argv0: "node",
    execArgv: [],
    execPath: "/usr/bin/node",
    env: { PATH: "/bin" },
    versions: { v8: "13.6.233.17-node.53" },
    execve: (...args) => (call = args),
    ...fields,
  };
  const descriptors = new Map([
    [3, "anon_inode:[eventpoll]"],
    [4, "pipe:[7]"],
    [5, "pipe:[7]"],
    [6, "/dev/null"],
  ]);
  limitYoungGeneration(started, 16, { descriptors: () => descriptors, starts: () => true, ...system });
  return call;
}

function refuse(): never {
  throw new Error("not permitted");
}

describe("limitYoungGeneration", () => {
  it("starts the same program with the same arguments and a limit", () => {
    const args = ["node", "--enable-source-maps", LIMIT, "/opt/main.js", "-C", "host"];
    expect(startedAnew({ execArgv: ["--enable-source-maps"] })).toEqual(["/usr/bin/node", args, { PATH: "/bin" }]);
  });

  it.each<[string, Partial<StartedProcess>]>([
    ["V8 has a lower limit itself", { versions: { v8: "12.4.254.21-node.33" } }],
    ["there is no way to do so", { execve: undefined }],
    ["it was done already", { execArgv: [LIMIT] }],
    ["the user has set another limit", { execArgv: ["--max_semi_space_size", "64"] }],
    ["it is set in the environment", { env: { NODE_OPTIONS: "--trace-gc --max-semi-space-size=32" } }],
    ["a parent talks with the process", { send: () => true }],
  ])("leaves it as it is when %s", (_why, fields) => {
    expect(startedAnew(fields)).toBeUndefined();
  });

  it.each<[string, Partial<ProcessSystem>]>([
    ["it holds a lock for somebody", { descriptors: () => new Map([[9, "/run/lock/disk"]]) }],
    ["it was handed a socket", { descriptors: () => new Map([[3, "socket:[12]"]]) }],
    ["somebody waits for its end at a pipe", { descriptors: () => new Map([[5, "pipe:[7]"]]) }],
    ["it can't tell what it was handed", { descriptors: refuse }],
    ["its program may not be started", { starts: () => false }],
    ["it may not start anything", { starts: refuse }],
  ])("leaves it as it is when %s", (_why, system) => {
    expect(startedAnew({}, system)).toBeUndefined();
  });

  it("goes on when it is not allowed to", () => {
    expect(() => startedAnew({ execve: refuse })).not.toThrow();
  });
});
