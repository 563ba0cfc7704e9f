import { describe, expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { PlainClient } from "./support/plain-client.ts";

/** As the manual has it: TIMESTAMP:LEVEL:PID THREAD SOURCEFILE:SOURCELINE: MSG. */
const LINE = /^(?<timestamp>\d+):(?<level>[DIWEF]):(?<pid>\d+) \d+ src\/[\w/-]+\.ts:[1-9]\d*: \S.*$/;

/** A client comes, the server goes and returns, the client leaves, the proxy is stopped: the lines, their levels. */
async function logOf(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const endpoint = await newEndpoint("unix");
  const server = await FakeServer.start(endpoint);
  const proxy = await proxyTo(server, { args, environment });
  const client = await PlainClient.connect(proxy.endpoint);
  await client.read(0, 512);
  await server.stop();
  const held = client.read(0, 512);
  await FakeServer.start(endpoint);
  await held;
  await client.disconnect();
  expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });

  const lines = proxy.process.stderr.split("\n");
  expect(lines.pop()).toBe("");
  let latest = 0;
  for (const line of lines) {
    const fields = LINE.exec(line)?.groups;
    expect(fields, line).toBeDefined();
    expect(Number(fields?.["pid"])).toBe(proxy.process.pid);
    expect(Number(fields?.["timestamp"])).toBeGreaterThanOrEqual(latest);
    latest = Number(fields?.["timestamp"]);
  }
  return lines;
}

function levels(lines: readonly string[]): string {
  return ["D", "I", "W", "E", "F"]
    .filter((level) => lines.some((line) => LINE.exec(line)?.groups?.["level"] === level))
    .join("");
}

describe("the log", () => {
  it("tells of the outage by default, and of nothing else", async () => {
    const lines = await logOf([]);
    expect(levels(lines)).toBe("W");
    expect(lines[0]).toMatch(/server unix:\/.*: connection lost: /);
    expect(lines.at(-1)).toMatch(/server unix:\/.*: connected again after \d+\.\d s/);
  });

  it("tells nothing with --quiet", async () => {
    expect(await logOf(["--quiet"])).toEqual([]);
    expect(await logOf(["--verbose", "--quiet"])).toEqual([]);
  });

  it("tells who comes and goes with --verbose", async () => {
    const lines = await logOf(["--quiet", "-v"]);
    expect(levels(lines)).toBe("IW");
    const text = lines.join("\n");
    expect(text).toMatch(
      /listening on unix:[^]*client .*: attached[^]*connection lost[^]*client .*: left[^]*SIGTERM: stopping/,
    );
  });

  it("tells at least as much with FLEXNBD_DEBUG=1, and only together with --verbose", async () => {
    expect(levels(await logOf(["--verbose"], { FLEXNBD_DEBUG: "1" }))).toMatch(/^D?IW$/);
    expect(levels(await logOf([], { FLEXNBD_DEBUG: "1" }))).toBe("W");
    expect(levels(await logOf(["--verbose"], { FLEXNBD_DEBUG: "0" }))).toBe("IW");
  });
});
