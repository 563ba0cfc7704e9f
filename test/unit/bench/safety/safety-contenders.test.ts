import { describe, expect, it } from "vitest";

import { safetyContenders } from "../../../../bench/safety/safety-contenders.ts";

const node20 = { path: "/opt/20/node", version: "v20.1.0" };
const node24 = { path: "/opt/24/node", version: "v24.2.0" };

describe("safetyContenders", () => {
  it("are ours with one thing changed in each, compared with the defaults", () => {
    const ours = safetyContenders("/x/main.js", [node20]).filter(({ role }) => role === "ours");
    const addresses = ["-l", "127.0.0.1", "-p", "5", "-C", "127.0.0.1", "-P", "6"];
    const plain = ["/opt/20/node", "/x/main.js", ...addresses];
    expect(ours.map(({ name, command, handshake }) => [name, handshake, ...(command?.(5, 6) ?? [])])).toEqual([
      ["defaults", "newstyle", ...plain],
      ["no write log", "newstyle", ...plain, "--unflushed=off"],
      ["FUA, no log", "newstyle", ...plain, "--unflushed=fua"],
      ["read-ahead", "newstyle", ...plain, "--cache=64M"],
      ["simple to client", "newstyle", ...plain, "--handshake=oldstyle"],
      ["simple replies", "newstyle-simple", ...plain, "--handshake=oldstyle"],
    ]);
    expect(new Set(ours.map(({ base }) => base))).toEqual(new Set(["defaults"]));
  });

  it("compare each node with itself", () => {
    const all = safetyContenders("/x/main.js", [node20, node24]);
    expect(new Set(all.map(({ base }) => base))).toEqual(
      new Set(["direct", "defaults node v20.1.0", "defaults node v24.2.0"]),
    );
    const names = all.map(({ name }) => name);
    expect(all.filter(({ base }) => !names.includes(base))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
