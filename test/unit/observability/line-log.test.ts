import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { describe, expect, it, vi } from "vitest";

import { LineLog } from "../../../src/observability/line-log.ts";
import type { Clock } from "../../../src/ports/clock.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const LINE =
  /^(?<time>\d+):(?<level>[DIWEF]):(?<pid>\d+) (?<thread>\d+) (?<file>[^: ]+):(?<line>\d+): (?<message>.*)\n$/;

const clock: Clock = {
  nowMs: () => 1234.9,
  setTimer: () => {
    throw new Error("a log needs no timers");
  },
};

function logAt(level: "debug" | "info" | "warning" | "error" | "fatal"): { log: LineLog; lines: string[] } {
  const lines: string[] = [];
  return { log: new LineLog({ clock, level, write: (line) => void lines.push(line) }), lines };
}

function fieldsOf(line: string | undefined): Record<string, string> {
  return LINE.exec(line ?? "")?.groups ?? {};
}

/** The number of the line of this file that contains the mark, which stands behind the call in question. */
function lineWith(mark: string): string {
  const source = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
  return String(source.findIndex((line) => line.endsWith(`// ${mark}`)) + 1);
}

describe("LineLog", () => {
  it("writes time, level, process, thread, place in the source, message", () => {
    const { log, lines } = logAt("info");
    log.info("connected to 192.0.2.7:10809"); // the informing line
    expect(lines).toHaveLength(1);
    expect(fieldsOf(lines[0])).toEqual({
      time: "1234",
      level: "I",
      pid: String(process.pid),
      thread: expect.stringMatching(/^\d+$/) as string,
      file: "line-log.test.ts",
      line: lineWith("the informing line"),
      message: "connected to 192.0.2.7:10809",
    });
  });

  it("names the caller's place for every severity", () => {
    const { log, lines } = logAt("debug");
    log.debug("m"); // debug here
    log.info("m"); // info here
    log.warning("m"); // warning here
    log.error("m"); // error here
    log.fatal("m"); // fatal here
    const expected = ["debug", "info", "warning", "error", "fatal"].map((word) => lineWith(`${word} here`));
    expect(lines.map((line) => fieldsOf(line)["line"])).toEqual(expected);
  });

  it.each([
    ["debug", "DIWEF"],
    ["info", "IWEF"],
    ["warning", "WEF"],
    ["error", "EF"],
    ["fatal", "F"],
  ] as const)("at level %s writes %s", (level, letters) => {
    const { log, lines } = logAt(level);
    for (const severity of ["debug", "info", "warning", "error", "fatal"] as const) log[severity]("m");
    expect(lines.map((line) => fieldsOf(line)["level"]).join("")).toBe(letters);
  });

  it("captures no stack and asks for no time below its level", () => {
    const log = new LineLog({
      clock: { ...clock, nowMs: () => expect.unreachable() },
      level: "fatal",
      write: () => expect.unreachable(),
    });
    const capture = vi.spyOn(Error, "captureStackTrace");
    log.error("m");
    log.debug("m");
    expect(capture).not.toHaveBeenCalled();
    logAt("error").log.error("m");
    expect(capture).toHaveBeenCalledOnce();
    capture.mockRestore();
  });

  it("keeps one message on one line", () => {
    const { log, lines } = logAt("info");
    log.warning("first\nF:1 1 forged.ts:1: second\r\u001b[31m");
    expect(lines[0]).toMatch(LINE);
    expect(fieldsOf(lines[0])["message"]).toBe("first\\nF:1 1 forged.ts:1: second\\r\\u001b[31m");
  });

  it("leaves the engine's limit for stacks as it was", () => {
    const { stackTraceLimit } = Error;
    logAt("info").log.info("m");
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });
});

describe("LineLog, compiled", () => {
  it.each([[], ["--enable-source-maps"]])("names the TypeScript source with node %j", (...options: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "line-log-"));
    try {
      const run = spawnSync(process.execPath, [...options, compileCaller(folder)], { encoding: "utf8" });
      expect(run.stderr).toBe("");
      expect(fieldsOf(run.stdout)).toMatchObject({ file: "src/upstream/caller.ts", line: "8", message: "hello" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Compiles the log, and a module whose line 8 logs "hello", as the build does. Returns the script that runs it. */
function compileCaller(folder: string): string {
  const caller = join(folder, "src", "upstream", "caller.ts");
  const log = join(root, "src", "observability", "line-log.ts");
  mkdirSync(dirname(caller), { recursive: true });
  writeFileSync(
    caller,
    ["interface Log {", "  info(message: string): void;", "}", "", "type Nothing = void;", ""]
      .concat("export function speak(log: Log): Nothing {", '  log.info("hello");', "}", "")
      .join("\n"),
  );
  const config = join(folder, "tsconfig.json");
  const compilerOptions = { rootDir: "/", outDir: join(folder, "out"), noCheck: true, types: [] };
  writeFileSync(
    config,
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files: [caller, log] }),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');

  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = spawnSync(process.execPath, [join(dirname(manifest), "bin", "tsc"), "-p", config], { encoding: "utf8" });
  expect(tsc.stdout).toBe("");

  const compiled = (source: string) =>
    pathToFileURL(join(folder, "out", relative("/", source)).replace(/\.ts$/, ".js")).href;
  const script = join(folder, "run.mjs");
  writeFileSync(
    script,
    `import { LineLog } from ${JSON.stringify(compiled(log))};
import { speak } from ${JSON.stringify(compiled(caller))};
speak(new LineLog({ clock: { nowMs: () => 1 }, level: "info", write: (line) => process.stdout.write(line) }));
`,
  );
  return script;
}
