import { describe, expect, it } from "vitest";

import { startProgram } from "./support/proxy-process.ts";

const COMPLETE = ["-l", "127.0.0.1", "-p", "10810", "-C", "127.0.0.1", "-P", "10809"];

const MISTAKES: readonly (readonly [what: string, args: readonly string[], named: readonly string[]])[] = [
  ["nothing", [], ["--addr"]],
  ["no port", ["-l", "127.0.0.1", "-C", "127.0.0.1", "-P", "1"], ["--port", "127.0.0.1"]],
  ["no server", ["-l", "127.0.0.1", "-p", "1"], ["--conn-addr"]],
  ["no server's port", ["-l", "127.0.0.1", "-p", "1", "-C", "127.0.0.1"], ["--conn-port"]],
  ["a bad address", ["-l", "nowhere", "-p", "1", "-C", "127.0.0.1", "-P", "1"], ["--addr", "nowhere"]],
  ["a bad port", ["-l", "127.0.0.1", "-p", "65536", "-C", "127.0.0.1", "-P", "1"], ["--port", "65536"]],
  ["a bad local address", [...COMPLETE, "--bind", "localhost"], ["--bind", "localhost"]],
  ["a bad duration", [...COMPLETE, "--hold-timeout", "1x"], ["--hold-timeout", "1x"]],
  ["a bad mode", ["-l", "/s", "-C", "/t", "--socket-mode", "999"], ["--socket-mode", "999"]],
  ["a bad URI", ["-l", "/s", "--upstream", "http://127.0.0.1"], ["--upstream", "http://127.0.0.1"]],
  ["a bad mode of protection", [...COMPLETE, "--unflushed", "maybe"], ["--unflushed", "maybe", "log, fua or off"]],
  ["too little memory", [...COMPLETE, "--unflushed-limit", "63M"], ["--unflushed-limit", "63M", "64M"]],
  ["too much memory", [...COMPLETE, "--unflushed-limit", "65G"], ["--unflushed-limit", "65G", "64G"]],
  ["an endless wait for nobody", [...COMPLETE, "--linger", "forever"], ["--linger", "forever"]],
  ["a bad time to guard", [...COMPLETE, "--pin", "off"], ["--pin", "off"]],
  ["a bad fence", [...COMPLETE, "--fence", "high"], ["--fence", "high", "none or strict"]],
  ["copies of shared writes", [...COMPLETE, "--shared", "--unflushed", "log"], ["--unflushed", "log", "--shared"]],
  ["a guard over shared writes", [...COMPLETE, "--shared", "--pin", "5"], ["--pin", "5", "--shared"]],
  ["an unknown option", [...COMPLETE, "--frobnicate"], ["--frobnicate"]],
  ["a stray word", [...COMPLETE, "word"], ["word"]],
  ["an option without its value", ["-l"], ["--addr"]],
  ["two disks to serve", ["serve", "--memory", "1M", "--file", "/disk"], ["--memory", "--file"]],
  ["a bad size", ["serve", "--memory", "5Q"], ["--memory", "5Q"]],
];

describe("a mistake on the command line", () => {
  it.each(MISTAKES)("ends with status 2, names what is wrong, and hints at --help: %s", async (_what, args, named) => {
    const program = startProgram(args);
    expect(await program.exited()).toEqual({ status: 2, signal: null });
    const [message, hint, ...rest] = program.stderr.split("\n");
    for (const word of named) expect(message).toContain(word);
    expect(hint).toContain("--help");
    expect(rest).toEqual([""]);
    expect(program.stdout).toBe("");
  });

  it("is found in the environment as well", async () => {
    const program = startProgram(["-l", "127.0.0.1", "-C", "127.0.0.1", "-P", "1"], { FLEXNBD_PORT: "many" });
    expect(await program.exited()).toEqual({ status: 2, signal: null });
    expect(program.stderr).toMatch(/FLEXNBD_PORT.*many/);
  });
});

describe("help and version", () => {
  it.each([["--help"], ["-h"], ["serve", "--help"], ["demo", "--help"]])(
    "go to stdout, with status 0: %s %s",
    async (...args) => {
      const program = startProgram(args.filter((word) => word !== undefined));
      expect(await program.exited()).toEqual({ status: 0, signal: null });
      expect(program.stdout).toMatch(/^Usage: flexnbd-proxy/);
      expect(program.stderr).toBe("");
    },
  );

  it("tells its version", async () => {
    const program = startProgram(["--version"]);
    expect(await program.exited()).toEqual({ status: 0, signal: null });
    expect(program.stdout).toMatch(/^flexnbd-proxy \d+\.\d+\.\d+\n$/);
  });
});
