import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseCommandLine } from "../../../src/cli/parse-command-line.ts";
import type { ProxyConfig } from "../../../src/config/proxy-config.ts";
import { UsageError } from "../../../src/config/usage-error.ts";

const LISTEN = ["-l", "127.0.0.1", "-p", "10810"];
const CONNECT = ["-C", "192.0.2.7", "-P", "10809"];
const COMPLETE = [...LISTEN, ...CONNECT];

function run(argv: readonly string[], env: Record<string, string> = {}): ProxyConfig {
  const command = parseCommandLine(argv, env);
  if (command.kind !== "run") throw new Error(`expected the proxy to run, not ${command.kind}`);
  return command.config;
}

describe("parseCommandLine", () => {
  it.each([
    ["short letters", ["-l", "127.0.0.1", "-p", "10810", "-C", "192.0.2.7", "-P", "10809"]],
    ["short letters with the value attached", ["-l127.0.0.1", "-p10810", "-C192.0.2.7", "-P10809"]],
    ["short letters with =", ["-l=127.0.0.1", "-p=10810", "-C=192.0.2.7", "-P=10809"]],
    ["long names", ["--addr", "127.0.0.1", "--port", "10810", "--conn-addr", "192.0.2.7", "--conn-port", "10809"]],
    ["long names with =", ["--addr=127.0.0.1", "--port=10810", "--conn-addr=192.0.2.7", "--conn-port=10809"]],
  ])("reads %s", (_form, argv) => {
    expect(run(argv)).toEqual(run(COMPLETE));
    expect(run(argv).listen).toEqual({ kind: "tcp", host: "127.0.0.1", port: 10_810 });
  });

  it("reads letters behind flags in one word", () => {
    expect(run(["-l", "127.0.0.1", "-vp=4000", ...CONNECT])).toMatchObject({
      listen: { port: 4000 },
      logLevel: "info",
    });
  });

  it("takes what follows an option as its value, whatever it looks like", () => {
    expect(run([...COMPLETE, "--export", "-p=1"]).upstream.exportName).toBe("-p=1");
    expect(run([...COMPLETE, "--export", "--"]).upstream.exportName).toBe("--");
    expect(run([...COMPLETE, "--export==x"]).upstream.exportName).toBe("=x");
    expect(() => run([...COMPLETE, "--port", "--verbose"])).toThrow(/--port: "--verbose"/);
  });

  it("takes the last value of an option, but refuses a second server", () => {
    expect(run([...COMPLETE, "-p", "1"]).listen).toMatchObject({ port: 1 });
    expect(() => run([...LISTEN, "--upstream=nbd://a/", "--upstream=nbd://b/"])).toThrow(
      expect.objectContaining({ name: "UsageError", option: "--upstream", value: "nbd://b/" }),
    );
  });

  it("takes a URI in place of address, port and export", () => {
    expect(run([...LISTEN, "--upstream", "nbd://[2001:db8::7]:4000/disk"]).upstream).toEqual({
      endpoint: { kind: "tcp", host: "2001:db8::7", port: 4000 },
      exportName: "disk",
      bindAddress: undefined,
    });
  });

  it.each([
    [[], {}, "warning"],
    [["-v"], {}, "info"],
    [["-q"], {}, "fatal"],
    [["--quiet", "--verbose"], {}, "info"],
    [["-vq"], {}, "fatal"],
    [["-qvqv"], {}, "info"],
    [["-v"], { FLEXNBD_DEBUG: "1" }, "debug"],
    [["-v"], { FLEXNBD_DEBUG: "0" }, "info"],
    [["-q"], { FLEXNBD_DEBUG: "1" }, "fatal"],
    [[], { FLEXNBD_DEBUG: "1" }, "warning"],
  ])("logs, with %j and %j, from level %s on", (flags, env, level) => {
    expect(run([...COMPLETE, ...flags], env).logLevel).toBe(level);
  });
});

describe("parseCommandLine and the environment", () => {
  it("takes every option of the proxy from it", () => {
    const env = {
      FLEXNBD_ADDR: "::1",
      FLEXNBD_PORT: "0",
      FLEXNBD_CONN_ADDR: "storage.example",
      FLEXNBD_CONN_PORT: "4000",
      FLEXNBD_EXPORT: "disk",
      FLEXNBD_BIND: "2001:db8::1",
      FLEXNBD_HOLD_TIMEOUT: "2m",
      FLEXNBD_RECONNECT_INTERVAL_MAX: "500ms",
    };
    expect(run([], env)).toEqual({
      listen: { kind: "tcp", host: "::1", port: 0 },
      socketMode: 0o600,
      upstream: {
        endpoint: { kind: "tcp", host: "storage.example", port: 4000 },
        exportName: "disk",
        bindAddress: "2001:db8::1",
      },
      holdTimeoutMs: 120_000,
      reconnectIntervalMaxMs: 500,
      logLevel: "warning",
    });
    const unix = { FLEXNBD_ADDR: "/a", FLEXNBD_SOCKET_MODE: "660", FLEXNBD_UPSTREAM: "nbd://storage.example/disk" };
    expect(run([], unix)).toMatchObject({ socketMode: 0o660, upstream: { exportName: "disk" } });
  });

  it("lets the command line win", () => {
    expect(run(COMPLETE, { FLEXNBD_PORT: "1", FLEXNBD_ADDR: "::1" })).toEqual(run(COMPLETE));
    expect(run([...COMPLETE, "--hold-timeout=forever"], { FLEXNBD_HOLD_TIMEOUT: "5" }).holdTimeoutMs).toBeUndefined();
  });

  it("does not even look at what the command line overrules", () => {
    expect(run(COMPLETE, { FLEXNBD_PORT: "nonsense" })).toEqual(run(COMPLETE));
  });

  it("takes an empty variable as absent", () => {
    expect(run(COMPLETE, { FLEXNBD_HOLD_TIMEOUT: "", FLEXNBD_BIND: "" })).toEqual(run(COMPLETE));
  });
});

describe("parseCommandLine, asked for help or the version", () => {
  it.each(["-h", "--help"])("answers %s with text, whatever else is wrong", (flag) => {
    for (const rest of [[], ["--nonsense"], ["-p", "nonsense"], ["word"], ["-v"]]) {
      expect(parseCommandLine([...rest, flag], {})).toMatchObject({ kind: "help" });
      expect(parseCommandLine([flag, ...rest], {})).toMatchObject({ kind: "help" });
    }
  });

  it("has a help for each command, with an example, that fits a terminal", () => {
    const texts = [["--help"], ["serve", "--help"], ["demo", "--help"]].map((argv) => {
      const command = parseCommandLine(argv, {});
      return command.kind === "help" ? command.text : "";
    });
    expect(new Set(texts).size).toBe(3);
    for (const text of texts) {
      expect(text).toMatch(/^Usage: flexnbd-proxy/);
      expect(text).toMatch(/Examples?:\n/);
      expect(text.endsWith("\n")).toBe(true);
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  it("knows the version of the package", () => {
    const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(parseCommandLine(["--version"], {})).toEqual({
      kind: "version",
      text: `flexnbd-proxy ${manifest.version}\n`,
    });
  });
});

describe("parseCommandLine, with a command", () => {
  it("reads the options of serve", () => {
    expect(parseCommandLine(["serve", "--file", "disk.img", "-p=0", "--export", "disk", "-v"], {})).toEqual({
      kind: "serve",
      config: {
        listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
        socketMode: 0o600,
        disk: { kind: "file", path: "disk.img" },
        exportName: "disk",
        logLevel: "info",
      },
    });
    expect(parseCommandLine(["serve"], { FLEXNBD_MEMORY: "64M" })).toMatchObject({
      config: { disk: { kind: "memory", sizeBytes: 64 * 1024 ** 2 } },
    });
  });

  it("reads the options of demo", () => {
    expect(parseCommandLine(["demo"], {})).toEqual({ kind: "demo", logLevel: "warning" });
    expect(parseCommandLine(["demo", "-v"], { FLEXNBD_DEBUG: "1" })).toEqual({ kind: "demo", logLevel: "debug" });
  });

  it.each([
    [["demo", "--port", "1"], "--port"],
    [["serve", "-C", "x"], "-C"],
    [[...COMPLETE, "--memory", "1M"], "--memory"],
  ])("refuses %j: the option belongs to another command", (argv, option) => {
    expect(() => parseCommandLine(argv, {})).toThrow(expect.objectContaining({ name: "UsageError", option }));
  });
});

describe("parseCommandLine, when it understands nothing", () => {
  it.each([
    [["--nonsense"], /"--nonsense" is not an option/],
    [["--prot", "1"], /"--prot" is not an option \(Did you mean --port\?\)/],
    [["-x"], /"-x" is not an option/],
    [["--\u001b[2J\n"], /^"--\\u001b\[2J\\n" is not an option$/],
    [["--verbose=yes"], /--verbose/],
    [[...COMPLETE, "--port"], /^--port needs a value$/],
    [[...COMPLETE, "-b"], /^--bind needs a value$/],
    [[...COMPLETE, "word"], /"word" is neither a command/],
    [[...COMPLETE, "--", "-v"], /"-v" is neither a command/],
    [["-v", "demo"], /"demo" must come first/],
    [[""], /"" is neither a command/],
  ])("says so: %j", (argv, message) => {
    const parsing = () => parseCommandLine(argv, {});
    expect(parsing).toThrow(UsageError);
    expect(parsing).toThrow(message);
  });

  it("leaves arguments and environment as they are", () => {
    const argv = Object.freeze(["-vp=1", ...COMPLETE]);
    expect(run(argv, Object.freeze({ FLEXNBD_BIND: "192.0.2.1" }))).toEqual(
      run(argv, Object.freeze({ FLEXNBD_BIND: "192.0.2.1" })),
    );
  });
});
