import { describe, expect, it } from "vitest";

import { limitYoungGeneration, type StartedProcess } from "../../../src/system/limit-young-generation.ts";

const LIMIT = "--max-semi-space-size=16";

/** How a process with these properties, else as on Node 24, is started anew; undefined when it is not. */
function startedAnew(fields: Partial<StartedProcess>): unknown[] | undefined {
  let call: unknown[] | undefined;
  const started: StartedProcess = {
    argv: ["/usr/bin/node", "/opt/main.js", "-C", "host"],
    argv0: "node",
    execArgv: [],
    execPath: process.execPath,
    env: { PATH: "/bin" },
    versions: { v8: "13.6.233.17-node.53" },
    execve: (...args) => (call = args),
    ...fields,
  };
  limitYoungGeneration(started, 16);
  return call;
}

describe("limitYoungGeneration", () => {
  it("starts the same program with the same arguments and a limit", () => {
    const args = ["node", "--enable-source-maps", LIMIT, "/opt/main.js", "-C", "host"];
    expect(startedAnew({ execArgv: ["--enable-source-maps"] })).toEqual([process.execPath, args, { PATH: "/bin" }]);
  });

  it.each<[string, Partial<StartedProcess>]>([
    ["V8 has a lower limit itself", { versions: { v8: "12.4.254.21-node.33" } }],
    ["there is no way to do so", { execve: undefined }],
    ["it was done already", { execArgv: [LIMIT] }],
    ["the user has set another limit", { execArgv: ["--max_semi_space_size", "64"] }],
    ["it is set in the environment", { env: { NODE_OPTIONS: "--trace-gc --max-semi-space-size=32" } }],
    ["a parent talks with the process", { send: () => true }],
    ["its program is gone", { execPath: "/nowhere/node" }],
  ])("leaves it as it is when %s", (_why, fields) => {
    expect(startedAnew(fields)).toBeUndefined();
  });
});
