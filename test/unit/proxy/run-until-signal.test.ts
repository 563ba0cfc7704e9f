import { afterEach, describe, expect, it, vi } from "vitest";

import { runUntilSignal, type Service } from "../../../src/proxy/run-until-signal.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { settle } from "../support/settle.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

afterEach(() => {
  for (const event of [...SIGNALS, "uncaughtException"]) process.removeAllListeners(event);
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

  it("resolves to 1 when the service does not stop well", async () => {
    const { service } = playedService({ stop: () => Promise.resolve(false) });
    const status = runUntilSignal(service, new RecordingLog());
    await settle();
    process.emit("SIGTERM", "SIGTERM");
    expect(await status).toBe(1);
  });

  it("ends the process at once, with a fatal line, at an error of our own", async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation((() => undefined) as never);
    const log = new RecordingLog();
    const { service } = playedService();
    void runUntilSignal(service, log);
    await settle();
    process.listeners("uncaughtException").at(-1)?.(new Error("invariant I2 is broken"), "uncaughtException");
    expect(exit).toHaveBeenCalledWith(70);
    expect(log.lines).toEqual([expect.stringMatching(/^fatal: internal error, stopping at once: Error: invariant I2/)]);
  });
});
