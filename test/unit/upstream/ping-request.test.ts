import { describe, expect, it } from "vitest";

import { COMMAND } from "../../../src/protocol/constants.ts";
import { pingRequest } from "../../../src/upstream/ping-request.ts";
import { geometry } from "../support/held-disk.ts";

describe("pingRequest", () => {
  it.each([
    [1, 512, 512],
    [512, 4096, 512],
    [4096, 4096, 4096],
  ])("reads a block where blocks have %d bytes and the disk has %d", (minimumBlockBytes, sizeBytes, length) => {
    const ping = pingRequest(geometry({ minimumBlockBytes, sizeBytes }));
    expect(ping).toMatchObject({ command: COMMAND.READ, flags: 0, offset: 0, length, payload: [] });
  });

  it.each([
    [1, 511],
    [4096, 4095],
    [1, 0],
  ])("is nothing where blocks have %d bytes and the disk has %d", (minimumBlockBytes, sizeBytes) => {
    expect(pingRequest(geometry({ minimumBlockBytes, sizeBytes }))).toBeUndefined();
  });
});
