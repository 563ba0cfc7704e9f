import { describe, expect, it } from "vitest";

import { ProcessGroups } from "../../../bench/process-groups.ts";
import { usageOfGroup } from "../../../bench/process-usage.ts";

const FOREVER = "setInterval(() => {}, 1000)";

describe("ProcessGroups", () => {
  it("ends everything that still runs, with what it has forked", async () => {
    const groups = new ProcessGroups();
    const forked = `console.error('forked'); ${FOREVER}`;
    const fork = `require("node:child_process").spawn(process.execPath, ["-e", "${forked}"], { stdio: "inherit" })`;
    const started = [groups.start(process.execPath, ["-e", FOREVER]), groups.start(process.execPath, ["-e", fork])];
    await expect.poll(() => started[1]?.stderr, { timeout: 10_000 }).toBe("forked\n");
    // It is over only when the one that was forked has closed its output too.
    await groups.end();
    expect(started.map(({ outcome }) => outcome)).toEqual([
      { status: null, signal: "SIGKILL" },
      { status: null, signal: "SIGKILL" },
    ]);
  });

  it("collects output and tells the exit status", async () => {
    const group = new ProcessGroups().start(process.execPath, [
      "-e",
      "console.log(1); console.error(2); process.exit(3)",
    ]);
    expect(await group.ended).toEqual({ status: 3, signal: null });
    expect([group.stdout, group.stderr]).toEqual(["1\n", "2\n"]);
  });

  it("tells when a program can't be started", async () => {
    const groups = new ProcessGroups();
    const group = groups.start("/nonexistent/program", []);
    expect(await group.ended).toMatchObject({ error: { code: "ENOENT" } });
    expect(() => group.id).toThrow("could not be started");
    await groups.end();
  });
});

describe("usageOfGroup", () => {
  it("counts the time of a child that has ended", async () => {
    const groups = new ProcessGroups();
    const burn = "while (process.cpuUsage().user < 500_000);";
    const wait = `require("node:child_process").execFileSync(process.execPath, ["-e", "${burn}"]); console.error("done"); ${FOREVER}`;
    const group = groups.start(process.execPath, ["-e", wait]);
    try {
      await expect.poll(() => group.stderr, { timeout: 10_000 }).toBe("done\n");
      const usage = usageOfGroup(group.id);
      expect(usage.cpuSeconds).toBeGreaterThan(0.45);
      expect(usage.peakMemoryKib).toBeGreaterThan(1000);
    } finally {
      await groups.end();
    }
    expect(usageOfGroup(group.id)).toEqual({ cpuSeconds: 0, peakMemoryKib: 0 });
  });
});
