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
    expect(run([...COMPLETE, "--export", "-p=1"]).upstreams[0].exportName).toBe("-p=1");
    expect(run([...COMPLETE, "--export", "--"]).upstreams[0].exportName).toBe("--");
    expect(run([...COMPLETE, "--export==x"]).upstreams[0].exportName).toBe("=x");
    expect(() => run([...COMPLETE, "--port", "--verbose"])).toThrow(/--port: "--verbose"/);
  });

  it("takes the last value of an option that has one", () => {
    expect(run([...COMPLETE, "-p", "1"]).listen).toMatchObject({ port: 1 });
    expect(run([...COMPLETE, "--max-clients=3", "--max-clients=2"]).maxClients).toBe(2);
  });

  it("takes all values of an option that has several, in their order", () => {
    const { upstreams } = run([...LISTEN, "--upstream=nbd://b/", "--upstream", "nbd+unix:///x?socket=/a"]);
    expect(upstreams).toMatchObject([{ endpoint: { host: "b" } }, { endpoint: { path: "/a" }, exportName: "x" }]);
    expect(run([...COMPLETE, "--allow", "::1", "--allow=192.0.2.0/24"]).allow).toEqual([
      { address: "::1", prefixBits: 128 },
      { address: "192.0.2.0", prefixBits: 24 },
    ]);
  });

  it("names the one value of several that is bad", () => {
    expect(() => run([...LISTEN, "--upstream=nbd://a/", "--upstream=http://b/"])).toThrow(
      expect.objectContaining({ name: "UsageError", option: "--upstream", value: "http://b/" }),
    );
    expect(() => run(COMPLETE, { FLEXNBD_ALLOW: "::1, nobody" })).toThrow(
      expect.objectContaining({ name: "UsageError", option: "FLEXNBD_ALLOW", value: "nobody" }),
    );
  });

  it("takes a URI in place of address, port and export", () => {
    expect(run([...LISTEN, "--upstream", "nbd://[2001:db8::7]:4000/disk"]).upstreams[0]).toEqual({
      endpoint: { kind: "tcp", host: "2001:db8::7", port: 4000 },
      exportName: "disk",
      bindAddress: undefined,
    });
  });

  it.each(["oldstyle", "newstyle", "auto"] as const)("greets clients in the style %s", (style) => {
    expect(run([...COMPLETE, `--handshake=${style}`]).greetingStyle).toBe(style);
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

describe("parseCommandLine and --cache", () => {
  it.each([
    [[], 0],
    [["--cache"], 4096],
    [["-c"], 4096],
    [["--cache", "--verbose"], 4096],
    [["-c", "-v"], 4096],
    [["-vc"], 4096],
    [["-vc", "-q"], 4096],
    [["--cache=8192"], 8192],
    [["-c=8192"], 8192],
    [["-vc=8192"], 8192],
    [["-c8192"], 8192],
    [["--cache=16M"], 16_777_216],
    [["-c=64k"], 65_536],
    [["--cache=0"], 0],
    [["--cache=8192", "-c"], 4096],
    [["--cache", "-c=0"], 0],
  ])("reads %j as %d bytes", (flags, cacheBytes) => {
    expect(run([...COMPLETE, ...flags]).cacheBytes).toBe(cacheBytes);
    expect(run([...flags, ...COMPLETE]).cacheBytes).toBe(cacheBytes);
  });

  it("reads what stands around it as it would without it", () => {
    expect(run(["-c", ...COMPLETE, "--cache", "-v"])).toEqual(run([...COMPLETE, "--cache=4096", "-v"]));
    expect(run([...COMPLETE, "--export", "-c"])).toMatchObject({ cacheBytes: 0, upstreams: [{ exportName: "-c" }] });
    expect(() => run([...COMPLETE, "-vp", "--cache"])).toThrow(expect.objectContaining({ value: "--cache" }));
  });

  it.each([
    [["--cache", "8192"], "8192"],
    [["-c", "64K", "-v"], "64K"],
    [["-vc", "lots"], "lots"],
  ])("refuses %j: the value must be attached", (flags, value) => {
    for (const argv of [
      [...COMPLETE, ...flags],
      [...flags, ...COMPLETE],
    ]) {
      expect(() => run(argv)).toThrow(
        expect.objectContaining({
          name: "UsageError",
          option: "--cache",
          value,
          message: `--cache: ${JSON.stringify(value)} must be attached with '=', as in --cache=BYTES`,
        }),
      );
    }
    expect(parseCommandLine([...flags, "--help"], {})).toMatchObject({ kind: "help" });
  });

  it("blames itself only for the word behind it", () => {
    expect(() => run(["--cache", ...COMPLETE, "word"])).toThrow(/"word" is neither/);
    expect(() => run(["--cache=1", "word"])).toThrow(/"word" is neither/);
    expect(() => run(["--cache", "demo"])).toThrow(/"demo" must come first/);
  });
});

describe("parseCommandLine and the protection of writes", () => {
  it.each([
    ["--unflushed=log", { unflushed: "log" }],
    ["--unflushed=fua", { unflushed: "fua" }],
    ["--unflushed=off", { unflushed: "off" }],
    ["--unflushed-limit=64M", { unflushedLimitBytes: 67_108_864 }],
    ["--linger=0", { lingerMs: 0 }],
    ["--linger=5", { lingerMs: 5000 }],
    ["--pin=0", { pinMs: 0 }],
    ["--pin=2m", { pinMs: 120_000 }],
    ["--fence=none", { fence: "none" }],
    ["--fence=strict", { fence: "strict" }],
    ["--shared", { shared: true, unflushed: "off", pinMs: 0 }],
  ])("reads %s, and changes nothing else", (flag, changes) => {
    expect(run([...COMPLETE, flag])).toEqual({ ...run(COMPLETE), ...changes });
  });

  it.each([
    [["--shared", "--unflushed=log"], "--unflushed", "log"],
    [["--unflushed", "fua", "--shared"], "--unflushed", "fua"],
    [["--shared", "--pin", "30"], "--pin", "30"],
    [["--unflushed-limit=32M"], "--unflushed-limit", "32M"],
    [["--unflushed-limit=1000000M"], "--unflushed-limit", "1000000M"],
    [["--linger=forever"], "--linger", "forever"],
  ])("refuses %j", (flags, option, value) => {
    expect(() => run([...COMPLETE, ...flags])).toThrow(expect.objectContaining({ name: "UsageError", option, value }));
  });

  it("lets --shared overrule the environment, and nothing else there", () => {
    const env = { FLEXNBD_UNFLUSHED: "log", FLEXNBD_PIN: "30", FLEXNBD_LINGER: "7" };
    expect(run([...COMPLETE, "--shared"], env)).toEqual({ ...run([...COMPLETE, "--shared"]), lingerMs: 7000 });
    expect(() => run([...COMPLETE, "--shared", "--unflushed=log"], { FLEXNBD_UNFLUSHED: "off" })).toThrow(
      expect.objectContaining({ option: "--unflushed", value: "log" }),
    );
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
      FLEXNBD_HANDSHAKE: "oldstyle",
      FLEXNBD_MAX_CLIENTS: "4",
      FLEXNBD_ALLOW: "192.0.2.0/24, 2001:db8::/32 ::1",
      FLEXNBD_CACHE: "64K",
      FLEXNBD_UPSTREAM_TIMEOUT: "4",
      FLEXNBD_IDLE_PING: "1.5s",
      FLEXNBD_HOLD_TIMEOUT: "2m",
      FLEXNBD_RECONNECT_INTERVAL_MAX: "500ms",
      FLEXNBD_UNFLUSHED: "fua",
      FLEXNBD_UNFLUSHED_LIMIT: "1G",
      FLEXNBD_LINGER: "2m",
      FLEXNBD_PIN: "1.5s",
      FLEXNBD_FENCE: "strict",
    };
    expect(run([], env)).toEqual({
      listen: { kind: "tcp", host: "::1", port: 0 },
      socketMode: 0o600,
      upstreams: [
        {
          endpoint: { kind: "tcp", host: "storage.example", port: 4000 },
          exportName: "disk",
          bindAddress: "2001:db8::1",
        },
      ],
      greetingStyle: "oldstyle",
      maxClients: 4,
      allow: [
        { address: "192.0.2.0", prefixBits: 24 },
        { address: "2001:db8::", prefixBits: 32 },
        { address: "::1", prefixBits: 128 },
      ],
      cacheBytes: 65_536,
      upstreamTimeoutMs: 4000,
      idlePingMs: 1500,
      holdTimeoutMs: 120_000,
      reconnectIntervalMaxMs: 500,
      unflushed: "fua",
      unflushedLimitBytes: 2 ** 30,
      lingerMs: 120_000,
      pinMs: 1500,
      fence: "strict",
      shared: false,
      logLevel: "warning",
    });
    const unix = { FLEXNBD_ADDR: "/a", FLEXNBD_SOCKET_MODE: "660", FLEXNBD_UPSTREAM: "nbd://storage.example/disk" };
    expect(run([], unix)).toMatchObject({ socketMode: 0o660, upstreams: [{ exportName: "disk" }] });
  });

  it("takes several servers from it, separated by blanks", () => {
    const { upstreams } = run(LISTEN, { FLEXNBD_UPSTREAM: " nbd://a/x  nbd://b/y\n" });
    expect(upstreams).toMatchObject([
      { endpoint: { host: "a" }, exportName: "x" },
      { endpoint: { host: "b" }, exportName: "y" },
    ]);
    expect(run(COMPLETE, { FLEXNBD_UPSTREAM: " ", FLEXNBD_ALLOW: " , " })).toEqual(run(COMPLETE));
  });

  it.each(["0", "-1", "1.5", "4s", "250ms", "1e3", " 4", "forever", "x"])(
    "refuses FLEXNBD_UPSTREAM_TIMEOUT=%j: it takes whole seconds",
    (value) => {
      expect(() => run(COMPLETE, { FLEXNBD_UPSTREAM_TIMEOUT: value })).toThrow(
        expect.objectContaining({
          name: "UsageError",
          option: "FLEXNBD_UPSTREAM_TIMEOUT",
          value,
          message: `FLEXNBD_UPSTREAM_TIMEOUT: ${JSON.stringify(value)} is not a positive whole number of seconds`,
        }),
      );
      expect(run([...COMPLETE, "--upstream-timeout=250ms"], { FLEXNBD_UPSTREAM_TIMEOUT: value })).toMatchObject({
        upstreamTimeoutMs: 250,
      });
    },
  );

  it("lets the command line win", () => {
    expect(run([...COMPLETE, "--allow=::1"], { FLEXNBD_ALLOW: "192.0.2.1" }).allow).toHaveLength(1);
    expect(run([...LISTEN, "--upstream=nbd://a/"], { FLEXNBD_UPSTREAM: "nbd://b/ nbd://c/" }).upstreams).toMatchObject([
      { endpoint: { host: "a" } },
    ]);
    expect(run([...COMPLETE, "--idle-ping=off"], { FLEXNBD_IDLE_PING: "5" }).idlePingMs).toBeUndefined();
    expect(run([...COMPLETE, "--cache"], { FLEXNBD_CACHE: "8192" }).cacheBytes).toBe(4096);
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
        writeCache: false,
        logLevel: "info",
      },
    });
    expect(parseCommandLine(["serve"], { FLEXNBD_MEMORY: "64M" })).toMatchObject({
      config: { disk: { kind: "memory", sizeBytes: 64 * 1024 ** 2 } },
    });
    expect(parseCommandLine(["serve", "--write-cache"], {})).toMatchObject({ config: { writeCache: true } });
  });

  it("reads the options of demo", () => {
    expect(parseCommandLine(["demo"], {})).toEqual({ kind: "demo", logLevel: "warning" });
    expect(parseCommandLine(["demo", "-v"], { FLEXNBD_DEBUG: "1" })).toEqual({ kind: "demo", logLevel: "debug" });
  });

  it.each([
    [["demo", "--port", "1"], "--port"],
    [["serve", "-C", "x"], "-C"],
    [[...COMPLETE, "--memory", "1M"], "--memory"],
    [[...COMPLETE, "--write-cache"], "--write-cache"],
    [["serve", "--shared"], "--shared"],
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
