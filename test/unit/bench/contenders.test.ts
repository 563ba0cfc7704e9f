import { describe, expect, it } from "vitest";

import { otherContenders } from "../../../bench/other-contenders.ts";
import { ownContenders } from "../../../bench/own-contenders.ts";

const node20 = { path: "/opt/20/node", version: "v20.1.0" };
const node24 = { path: "/opt/24/node", version: "v24.2.0" };

describe("ownContenders", () => {
  it("are the plain program, its variants and other builds", () => {
    const contenders = ownContenders({
      main: "/x/main.js",
      variants: [{ name: "cached", text: "--cache=16M  --quiet" }],
      builds: [{ name: "before", text: "/y/main.js" }],
      nodes: [node20],
    });
    expect(contenders.map(({ name }) => name)).toEqual([
      "flexnbd-proxy",
      "flexnbd-proxy cached",
      "flexnbd-proxy before",
    ]);
    const addresses = ["-l", "127.0.0.1", "-p", "5", "-C", "127.0.0.1", "-P", "6"];
    expect(contenders.map(({ command }) => command?.(5, 6))).toEqual([
      ["/opt/20/node", "/x/main.js", ...addresses],
      ["/opt/20/node", "/x/main.js", ...addresses, "--cache=16M", "--quiet"],
      ["/opt/20/node", "/y/main.js", ...addresses],
    ]);
  });

  it("run under every node, with the version in the name", () => {
    const contenders = ownContenders({ main: "/x/main.js", variants: [], builds: [], nodes: [node20, node24] });
    expect(contenders.map(({ name }) => name)).toEqual(["flexnbd-proxy node v20.1.0", "flexnbd-proxy node v24.2.0"]);
    expect(contenders.map(({ command }) => command?.(5, 6)[0])).toEqual(["/opt/20/node", "/opt/24/node"]);
  });
});

describe("otherContenders", () => {
  const everywhere = (name: string) => `/usr/bin/${name}`;

  it("need nothing for direct, and name what is left out and why", () => {
    const { contenders, leftOut } = otherContenders(() => undefined, undefined);
    expect(contenders.map(({ name }) => name)).toEqual(["direct"]);
    expect(leftOut).toEqual([
      { name: "nbdkit-nbd", reason: "nbdkit is not installed" },
      { name: "nbdkit-nbd-retry", reason: "nbdkit is not installed" },
      { name: "qemu-nbd", reason: "qemu-nbd is not installed" },
      { name: "socat", reason: "socat is not installed" },
      { name: "original", reason: "FLEXNBD_PROXY does not name it" },
    ]);
  });

  it("have the original in front of an old-style server when it is named", () => {
    const { contenders, leftOut } = otherContenders(everywhere, "/opt/original");
    expect(leftOut).toEqual([]);
    const original = contenders.at(-1);
    expect(original).toMatchObject({ name: "original", role: "resilient", handshake: "oldstyle" });
    expect(original?.command?.(5, 6)[0]).toBe("/opt/original");
  });

  it("leave the original out when its name leads nowhere", () => {
    const { leftOut } = otherContenders((name) => (name.startsWith("/") ? undefined : name), "/opt/original");
    expect(leftOut).toEqual([{ name: "original", reason: "what FLEXNBD_PROXY names is not a program" }]);
  });

  it("all listen on the one port and connect to the other", () => {
    for (const { name, command } of otherContenders(everywhere, "/opt/original").contenders) {
      if (command === undefined) continue;
      const words = command(40_001, 40_002).join(" ");
      expect(words, name).toMatch(/40001.*40002/);
    }
  });
});
