import { describe, expect, it } from "vitest";

import { ProcessGroups } from "../../../bench/process-groups.ts";
import { groupMembers, isMember, signalGroup } from "../../../campaign/group-members.ts";

const FOREVER = "setInterval(() => {}, 1000)";

describe("groupMembers", () => {
  it("are a process and what it has forked, until they are killed", async () => {
    const groups = new ProcessGroups();
    const forked = `console.error('forked'); ${FOREVER}`;
    const fork = `require("node:child_process").spawn(process.execPath, ["-e", "${forked}"], { stdio: "inherit" })`;
    const group = groups.start(process.execPath, ["-e", fork]);
    await expect.poll(() => group.stderr, { timeout: 10_000 }).toBe("forked\n");
    const members = await groupMembers(group.id);
    expect(members).toHaveLength(2);
    expect(members).toContain(group.id);
    signalGroup(group.id, "SIGKILL");
    await group.ended;
    await expect.poll(() => groupMembers(group.id), { timeout: 10_000 }).toEqual([]);
    expect(() => signalGroup(group.id, "SIGKILL")).not.toThrow();
  });

  it("are no zombies, and none of another group", () => {
    expect(isMember("12 (a (strange) name) S 1 77 12 0", 77)).toBe(true);
    expect(isMember("12 (a (strange) name) Z 1 77 12 0", 77)).toBe(false);
    expect(isMember("12 (nbdkit) S 77 12 12 0", 77)).toBe(false);
    expect(isMember("", 77)).toBe(false);
  });
});
