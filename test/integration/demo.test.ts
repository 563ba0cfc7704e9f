import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { ROOT } from "./support/build.ts";
import { startProgram } from "./support/proxy-process.ts";
import { requires } from "./support/requires.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import { Spawned } from "./support/spawned.ts";
import type { Outcome } from "./support/spawned.ts";
import { until } from "./support/until.ts";

const DEMO_MS = 120_000;
const COLOURS = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[39m"];

interface Run {
  readonly demo: Spawned;
  readonly outcome: Outcome;
  readonly folder: string;
}

/** Starts the demo with a temporary folder of its own. */
async function startDemo(): Promise<{ readonly demo: Spawned; readonly folder: string }> {
  const folder = await scratchFolder();
  return { demo: startProgram(["demo"], { TMPDIR: folder }), folder };
}

/** The process ids of the servers whose file is in this folder. */
async function serversOf(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (command.includes(folder)) found.push(Number(name));
  }
  return found;
}

async function expectNothingLeft(folder: string): Promise<void> {
  expect(await readdir(folder)).toEqual([]);
  expect(await serversOf(folder)).toEqual([]);
}

/** What every demo that went well says at its end. */
function expectResult(output: string): void {
  const checksums = [...output.matchAll(/sha256 (?:before|after) +([0-9a-f]{64})\b/g)].map((match) => match[1]);
  expect(checksums).toHaveLength(2);
  expect(checksums[0]).toBe(checksums[1]);
  expect(output).toContain("Every byte is right.");
  expect(output).toMatch(/killed 8 times/);
  // Five kills while it is written, at some distance, and the proxy flushes seldom.
  const lost = Number(
    /lost with it +(\d+\.\d) MiB that it had acknowledged; nothing of that is missing/.exec(output)?.[1],
  );
  expect(lost).toBeGreaterThan(1);
  expect(output).toMatch(/never lost; longest wait for an answer \d+\.\d s/);
  expect(output).toMatch(/flexnbd-proxy --addr .* --conn-addr/);
}

describe("the demo in a pipe", () => {
  let run: Run;

  beforeAll(async () => {
    const { demo, folder } = await startDemo();
    run = { demo, folder, outcome: await demo.exited() };
  }, DEMO_MS);

  it("exits with 0 and says that every byte is right", () => {
    expect(run.outcome).toEqual({ status: 0, signal: null });
    expectResult(run.demo.stdout);
  });

  it("says when the server is killed and when it is back, once for each of eight times", () => {
    const events = run.demo.stdout.match(/^(writing|reading) +\d+ % {2}server (killed|back after \d\.\d s)/gm) ?? [];
    expect(events.filter((event) => event.includes("killed"))).toHaveLength(8);
    expect(events.filter((event) => event.includes("back"))).toHaveLength(8);
  });

  it("says what the killed server has lost, as long as it is not flushed", () => {
    expect(run.demo.stdout).toMatch(/^writing +\d+ % {2}server lost \d+\.\d MiB it had answered$/m);
    expect(run.demo.stdout).toMatch(/^writing +100 % {2}written and flushed, nothing missing$/m);
    expect(run.demo.stdout).not.toMatch(/^reading.* lost/m);
  });

  it("kills the server while requests are under way", () => {
    const underWay = [...run.demo.stdout.matchAll(/killed, (\d+) requests/g)].map((match) => Number(match[1]));
    expect(Math.max(...underWay)).toBeGreaterThan(0);
  });

  it("writes no control characters, and nothing on stderr", () => {
    expect(run.demo.stdout).toMatch(/^[\n\x20-\x7e]+$/);
    expect(run.demo.stderr).toBe("");
  });

  it("leaves neither a process nor a file behind", () => expectNothingLeft(run.folder));
});

requires("script", "stty")("the demo on a terminal", () => {
  let run: Run;

  beforeAll(async () => {
    const folder = await scratchFolder();
    const command = `stty cols 100; "${process.execPath}" "${join(ROOT, "dist", "main.js")}" demo`;
    const environment = { TMPDIR: folder, TERM: "xterm", NO_COLOR: "" };
    const demo = new Spawned("script", ["--quiet", "--return", "--command", command, "/dev/null"], environment);
    run = { demo, folder, outcome: await demo.exited() };
  }, DEMO_MS);

  it("exits with 0 and says that every byte is right", () => {
    expect(run.outcome).toEqual({ status: 0, signal: null });
    expectResult(run.demo.stdout);
  });

  it("draws one line again and again, with what happens, never wider than the terminal", () => {
    const drawn = run.demo.stdout.split("\r\x1b[K").slice(1);
    expect(drawn.length).toBeGreaterThan(50);
    for (const line of drawn) {
      const visible = COLOURS.reduce((text, colour) => text.replaceAll(colour, ""), line.split("\r\n")[0] ?? "");
      expect(visible).toMatch(/^(writing|reading) \[[#x.]+\] +\d+ % /);
      expect(visible.length).toBeLessThan(100);
    }
    expect(drawn.some((line) => line.includes("server killed"))).toBe(true);
    expect(drawn.some((line) => line.includes("server back after"))).toBe(true);
  });

  it("is coloured, and marks the kills", () => {
    expect(run.demo.stdout).toContain("\x1b[31mx\x1b[39m");
  });

  it("leaves neither a process nor a file behind", () => expectNothingLeft(run.folder));
});

describe("a demo that is given up", () => {
  it.each([
    ["SIGINT", "server killed"],
    ["SIGINT", "server back"],
    ["SIGTERM", "server killed"],
    ["SIGHUP", "killed again and again"],
  ] as const)("at %s, after '%s', exits with 1 and leaves nothing behind", async (signal, moment) => {
    const { demo, folder } = await startDemo();
    await demo.until(`to say ${moment}`, () => demo.stdout.includes(moment));
    expect(await demo.stop(signal)).toEqual({ status: 1, signal: null });
    expect(demo.stderr).toBe(`flexnbd-proxy demo: ${signal}: given up; nothing was left behind\n`);
    await expectNothingLeft(folder);
  });
});

describe("a demo that fails", () => {
  it("says so when its server ends though nobody killed it", async () => {
    const { demo, folder } = await startDemo();
    const back = "server back";
    await demo.until(`to say ${back}`, () => demo.stdout.includes(back));
    const [server] = await until("the server runs", async () => {
      const found = await serversOf(folder);
      return found.length > 0 && found;
    });
    process.kill(server ?? 0, "SIGTERM");
    expect(await demo.exited()).toEqual({ status: 1, signal: null });
    expect(demo.stderr).toContain("flexnbd-proxy demo: the server ended by itself");
    await expectNothingLeft(folder);
  });

  it("names the folder that it can't use", async () => {
    const demo = startProgram(["demo"], { TMPDIR: "/nonexistent" });
    expect(await demo.exited()).toEqual({ status: 1, signal: null });
    expect(demo.stderr).toMatch(/^flexnbd-proxy demo: .*\/nonexistent.*\n$/);
  });

  it("names the folder whose path is too long for a UNIX socket", async () => {
    const folder = await scratchFolder();
    const long = join(folder, "x".repeat(90));
    await mkdir(long);
    const demo = startProgram(["demo"], { TMPDIR: long });
    expect(await demo.exited()).toEqual({ status: 1, signal: null });
    expect(demo.stderr).toContain("too long for UNIX sockets; set TMPDIR");
    expect(await readdir(long)).toEqual([]);
  });
});
