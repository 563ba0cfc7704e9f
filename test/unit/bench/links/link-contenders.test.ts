import { describe, expect, it } from "vitest";
import { linkContenders } from "../../../../bench/links/link-contenders.ts";

const NODE = { path: "node", version: "v20.0.0" };

describe("linkContenders", () => {
  it("runs every build of ours without a cache and with one", () => {
    const all = linkContenders("main.js", NODE, [{ name: "before", text: "old.js" }]);
    const ours = all.filter(({ role }) => role === "ours");
    expect(ours.map(({ name }) => name)).toEqual([
      "flexnbd-proxy",
      "flexnbd-proxy cache",
      "flexnbd-proxy before",
      "flexnbd-proxy before cache",
    ]);
    expect(ours.map(({ command }) => command?.(1, 2).includes("--cache=64M"))).toEqual([false, true, false, true]);
    expect(ours.map(({ command }) => command?.(1, 2)[1])).toEqual(["main.js", "main.js", "old.js", "old.js"]);
  });

  it("gives what nbdkit reads ahead a place on this side of the link", () => {
    const readahead = linkContenders("main.js", NODE, []).find(({ name }) => name === "nbdkit-readahead");
    const words: readonly string[] = readahead?.command?.(1, 2) ?? [];
    expect(words.indexOf("--filter=cache")).toBe(words.indexOf("--filter=readahead") + 1);
    expect(words).toContain("cache-max-size=64M");
  });
});
