import { afterEach, describe, expect, it, vi } from "vitest";

import { runUntilSignal, type Service } from "../../../src/proxy/run-until-signal.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { settle } from "../support/settle.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

afterEach(() => {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  vi.restoreAllMocks();
});

function playedService(fields: Partial<Service> = {}) {
  const calls: string[] = [];
  const service: Service = {
    start: () => Promise.resolve(calls.push("start")),
    stop: () => Promise.resolve(calls.push("stop")),
    ...fields,
  };
  return { service, calls };
}

describe("runUntilSignal", () => {
  it.each(SIGNALS)("stops the service at %s and resolves to 0", async (signal) => {
    const { service, calls } = playedService();
    const log = new RecordingLog();
    const status = runUntilSignal(service, log);
    await settle();
    expect(calls).toEqual(["start"]);
    process.emit(signal, signal);
    expect(await status).toBe(0);
    expect(calls).toEqual(["start", "stop"]);
    expect(log.lines).toEqual([`info: ${signal}: stopping`]);
  });

  it("resolves to 1, with one fatal line, when the service can't start", async () => {
    const log = new RecordingLog();
    const { service, calls } = playedService({ start: () => Promise.reject(new Error("no server")) });
    expect(await runUntilSignal(service, log)).toBe(1);
    expect([log.lines, calls]).toEqual([["fatal: no server"], []]);
  });

  it("finds words for whatever a start fails with", async () => {
    const log = new RecordingLog();
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const { service } = playedService({ start: () => Promise.reject("odd") });
    await runUntilSignal(service, log);
    expect(log.lines).toEqual(["fatal: odd"]);
  });

  it("ends the process at once at a second signal", async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation((() => undefined) as never);
    const { service } = playedService({ stop: () => new Promise(() => undefined) });
    void runUntilSignal(service, new RecordingLog());
    await settle();
    process.emit("SIGTERM", "SIGTERM");
    await settle();
    expect(exit).not.toHaveBeenCalled();
    process.emit("SIGINT", "SIGINT");
    expect(exit).toHaveBeenCalledWith(1);
  });
});
