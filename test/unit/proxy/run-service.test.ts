import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { PROXY_DEFAULTS } from "../../../src/config/proxy-config.ts";
import { runProxy, runServer } from "../../../src/proxy/run-service.ts";
import { until } from "../support/settle.ts";

const LISTEN = { listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, socketMode: 0o600 } as const;

let lines: string[] = [];

beforeEach(() => {
  lines = [];
  vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"]) process.removeAllListeners(signal);
});

describe("a service on this machine", () => {
  it("serves until a signal, then has exit status 0", async () => {
    const disk = { kind: "memory", sizeBytes: 4096 } as const;
    const status = runServer({ ...LISTEN, disk, exportName: "", writeCache: false, logLevel: "info" });
    await until("it serves", () => lines.some((line) => line.includes("serving 4096 bytes on 127.0.0.1:")));
    process.emit("SIGTERM", "SIGTERM");
    expect(await status).toBe(0);
  });

  it("has exit status 1, and one fatal line, when the server can't be reached", async () => {
    const status = await runProxy({
      ...LISTEN,
      ...PROXY_DEFAULTS,
      upstreams: [
        { endpoint: { kind: "unix", path: "/nonexistent/nbd.sock" }, exportName: "", bindAddress: undefined },
      ],
      logLevel: "fatal",
    });
    expect(status).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("ENOENT");
  });
});
