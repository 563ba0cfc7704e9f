import { describe, expect, it } from "vitest";

import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { offeredDisk } from "../../../src/proxy/offered-disk.ts";
import { HeldDisk } from "../support/held-disk.ts";

const MULTI = TRANSMISSION_FLAG.CAN_MULTI_CONN;

describe("offeredDisk", () => {
  it.each([
    [0, 1, 0],
    [0, 2, MULTI],
    [MULTI, 1, 0],
    [MULTI, 2, MULTI],
  ])("from flags %i, for %i clients, makes flags %i", (flags, maxClients, offered) => {
    const disk = new HeldDisk({ flags: 0x6d | flags, sizeBytes: 4711 });
    expect(offeredDisk(disk, maxClients).geometry).toEqual({ ...disk.geometry, flags: 0x6d | offered });
  });

  it("has the geometry that the disk has now", () => {
    const disk = new HeldDisk({ flags: 0x6d, sizeBytes: 4711 });
    const offered = offeredDisk(disk, 2);
    disk.geometry = { ...disk.geometry, sizeBytes: 815 };
    expect(offered.geometry).toEqual({ ...disk.geometry, flags: 0x6d | MULTI });
  });

  it("is the disk itself otherwise", () => {
    const disk = new HeldDisk();
    const user = { onReset: () => undefined };
    offeredDisk(disk, 1).attach(user);
    expect(disk.users).toEqual([user]);
  });
});
