import { describe, expect, it } from "vitest";

import { helpText } from "../../../src/cli/help-text.ts";
import type { AnyOption, CommandName } from "../../../src/cli/option.ts";
import { OPTION_TABLE } from "../../../src/cli/option-table.ts";
import { parseCommandLine } from "../../../src/cli/parse-command-line.ts";

const COMMANDS = ["proxy", "serve", "demo"] as const;
const OPTIONS: readonly AnyOption[] = Object.values(OPTION_TABLE);

/** Every option with every command that knows it. */
const ROWS = COMMANDS.flatMap((command) =>
  OPTIONS.filter(({ meanings }) => command in meanings).map((option) => [command, option.long, option] as const),
);

/** A complete command line, to which one more option can be added. */
const COMPLETE: Readonly<Record<CommandName, readonly string[]>> = {
  proxy: ["-l", "127.0.0.1", "-p", "10810", "-C", "192.0.2.7", "-P", "10809"],
  serve: ["serve"],
  demo: ["demo"],
};

const TOO_LONG = "x".repeat(5000);

/** What each option must refuse. */
const BAD_VALUES: Readonly<Record<string, readonly string[]>> = {
  addr: ["", "storage.example", "256.1.1.1", `/${"x".repeat(107)}`],
  port: ["", "65536", "-1", "http", "1.5"],
  "socket-mode": ["", "0800", "rw", "10000"],
  "conn-addr": ["", "10.1", "no host", "[::1", `/${"x".repeat(107)}`],
  "conn-port": ["", "0", "65536", "nbd"],
  upstream: ["", "storage.example", "http://storage.example", "nbds://storage.example", "nbd+unix:///disk"],
  export: [TOO_LONG, "a\0b"],
  bind: ["", "storage.example", "/run/x.sock"],
  handshake: ["", "old", "AUTO"],
  "max-clients": ["", "0", "1025", "-1", "1.5", "many"],
  allow: ["", "storage.example", "10.0.0.0/33", "10.0.0.0/", "::1/129", "fe80::1%eth0", "10.0.0.0/255.0.0.0"],
  cache: ["", "-1", "4T", "big", "99999999999G"],
  "upstream-timeout": ["", "0", "0ms", "-1", "forever", "5h", "99999999"],
  "idle-ping": ["", "0", "-1", "never", "99999999"],
  "hold-timeout": ["", "never", "-1", "5h", "99999999"],
  "reconnect-interval-max": ["", "0", "50ms", "forever"],
  unflushed: ["", "LOG", "on", "none"],
  "unflushed-limit": ["", "0", "63M", "67108863", "65G", "off", "-1"],
  linger: ["", "-1", "forever", "5h", "99999999"],
  pin: ["", "-1", "off", "forever", "5h", "99999999"],
  fence: ["", "STRICT", "off"],
  memory: ["", "0", "big", "1T", "99999999999G"],
  file: ["", "a\0b"],
};

describe.each(ROWS)("for %s, --%s", (command, long, option) => {
  const text = helpText(command);

  it("appears in the help with its names", () => {
    const names = option.short === undefined ? `--${long}` : `-${option.short}, --${long}`;
    const lines = text.split("\n").map((line) => line.trim());
    expect(lines).toContainEqual(expect.stringContaining(`${names}${valueTerm(option)}  `));
  });

  it("is explained in the help, with its environment variable and its default", () => {
    const words = text.replaceAll(/\s+/g, " ");
    const meaning = option.meanings[command];
    const standsIn = meaning?.default === undefined ? "]" : `, default: ${meaning.default}]`;
    const end = option.kind === "flag" ? "" : ` [${option.env}${standsIn}`;
    expect(words).toContain(`${meaning?.help ?? "no meaning"}${end}`);
  });
});

const VALUE_ROWS = ROWS.flatMap(([command, long, option]) =>
  option.kind === "flag" ? [] : [[command, long, option] as const],
);

describe.each(VALUE_ROWS)("for %s, --%s", (command, long, option) => {
  it("has an environment variable named after it", () => {
    expect(option.env).toMatch(/^FLEXNBD_[A-Z_]+$/);
    expect(option.env.slice("FLEXNBD_".length).toLowerCase().replaceAll("_", "-")).toBe(long);
  });

  it.each(BAD_VALUES[long] ?? expect.unreachable(`no bad values for --${long}`))(
    "refuses %j, naming itself and the value",
    (value) => {
      expect(() => parseCommandLine([...COMPLETE[command], `--${long}=${value}`], {})).toThrow(
        expect.objectContaining({
          name: "UsageError",
          option: `--${long}`,
          value,
          message: naming(`--${long}`, value),
        }),
      );
    },
  );

  it("refuses bad values from the environment, naming the variable and the value", () => {
    for (const value of BAD_VALUES[long] ?? []) {
      if (value === "") continue;
      const given = COMPLETE[command].filter(
        (_, i, all) => all[i] !== `-${option.short}` && all[i - 1] !== `-${option.short}`,
      );
      expect(() => parseCommandLine(given, { [option.env]: value })).toThrow(
        expect.objectContaining({ name: "UsageError", option: option.env, value, message: naming(option.env, value) }),
      );
    }
  });

  it("has a default that it would take itself", () => {
    const text = option.meanings[command]?.default;
    if (text !== undefined) expect(() => option.parse(text)).not.toThrow();
  });
});

it("takes, for options with nothing after them, what is a value of theirs", () => {
  for (const option of OPTIONS) {
    if (option.kind !== "value" || option.impliedText === undefined) continue;
    expect(() => option.parse(option.impliedText ?? "")).not.toThrow();
  }
});

it("shows the defaults that hold", () => {
  const shown = (option: AnyOption, command: CommandName) => `--${option.long}=${option.meanings[command]?.default}`;
  const { addr, port, socketMode, memory } = OPTION_TABLE;
  const { handshake, maxClients, cache, upstreamTimeout, idlePing, holdTimeout, reconnectIntervalMax } = OPTION_TABLE;
  const { unflushed, unflushedLimit, linger, pin, fence } = OPTION_TABLE;
  const proxy = [
    ...[handshake, maxClients, cache, upstreamTimeout, idlePing, holdTimeout, reconnectIntervalMax],
    ...[unflushed, unflushedLimit, linger, pin, fence],
  ].map((option) => shown(option, "proxy"));
  expect(parseCommandLine([...COMPLETE.proxy, ...proxy], {})).toEqual(parseCommandLine(COMPLETE.proxy, {}));
  const unix = ["-l", "/a", "-C", "/b"];
  expect(parseCommandLine([...unix, shown(socketMode, "proxy")], {})).toEqual(parseCommandLine(unix, {}));
  const serve = [addr, port, memory].map((option) => shown(option, "serve"));
  expect(parseCommandLine(["serve", ...serve], {})).toEqual(parseCommandLine(["serve"], {}));
});

it("gives no letter and no name twice within a command", () => {
  for (const command of COMMANDS) {
    const known = OPTIONS.filter(({ meanings }) => command in meanings);
    const names = known.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
    expect(new Set(names).size).toBe(names.length);
  }
});

/** What follows the names in the help. */
function valueTerm(option: AnyOption): string {
  if (option.kind === "flag") return "";
  return option.kind === "value" && option.impliedText !== undefined
    ? `[=${option.valueName}]`
    : ` ${option.valueName}`;
}

/** A message that begins with the option and contains the value, as JSON has it. */
function naming(label: string, value: string): unknown {
  return expect.stringContaining(`${label}: ${JSON.stringify(value)} `);
}
