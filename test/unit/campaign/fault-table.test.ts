import { describe, expect, it } from "vitest";

import { chooseFaults } from "../../../campaign/fault-table.ts";

const everything = { isInstalled: () => true, noPrivateGround: undefined };
const all = { fault: [], server: [] };

function namesOf({ choices }: ReturnType<typeof chooseFaults>): Record<string, string[]> {
  return Object.fromEntries(choices.servers.map(({ server, faults }) => [server, Object.keys(faults)]));
}

describe("chooseFaults", () => {
  it("has only nbdkit's cache lose its power, and the others killed", () => {
    const chosen = chooseFaults(all, everything);
    const common = ["stop", "reset", "drop", "enospc", "other-size"];
    expect(namesOf(chosen)).toEqual({
      "nbdkit-cache": ["power-loss", ...common],
      nbdkit: ["kill", ...common],
      "qemu-nbd": ["kill", ...common],
      "nbd-server": ["kill", ...common],
    });
    expect(chosen.leftOut).toEqual([]);
    expect(chosen.choices.fio).toBe(true);
  });

  it("keeps to what was asked for", () => {
    expect(
      namesOf(chooseFaults({ fault: ["kill", "stop"], server: ["nbdkit-cache", "qemu-nbd"] }, everything)),
    ).toEqual({
      "nbdkit-cache": ["stop"],
      "qemu-nbd": ["kill", "stop"],
    });
    expect(namesOf(chooseFaults({ fault: ["power-loss"], server: [] }, everything))).toEqual({
      "nbdkit-cache": ["power-loss"],
    });
  });

  it("leaves out what takes a private ground, and says so", () => {
    const chosen = chooseFaults(
      { fault: [], server: ["nbdkit", "qemu-nbd"] },
      { ...everything, noPrivateGround: "it takes root" },
    );
    expect(namesOf(chosen)).toEqual({
      nbdkit: ["kill", "stop", "enospc", "other-size"],
      "qemu-nbd": ["kill", "stop", "other-size"],
    });
    expect(chosen.leftOut).toContainEqual({ what: "enospc of qemu-nbd", reason: "it takes root" });
    expect(chosen.leftOut).toHaveLength(5);
  });

  it("leaves out what is not installed, and says so", () => {
    const isInstalled = (program: string) => program === "qemu-nbd";
    const { choices, leftOut } = chooseFaults(all, { ...everything, isInstalled });
    expect(choices.servers.map(({ server }) => server)).toEqual(["qemu-nbd"]);
    expect(choices.fio).toBe(false);
    expect(leftOut.map(({ what }) => what)).toEqual(["nbdkit-cache", "nbdkit", "nbd-server", "fio as a client"]);
  });

  it("throws when nothing is left", () => {
    expect(() => chooseFaults({ fault: ["power-loss"], server: ["qemu-nbd"] }, everything)).toThrow("no such fault");
    expect(() => chooseFaults(all, { ...everything, isInstalled: () => false })).toThrow("nbdkit is not installed");
  });
});
