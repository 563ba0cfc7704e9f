import { beforeAll, describe, expect, it } from "vitest";

import { CLIENT_PROGRAMS } from "./support/client-programs.ts";
import { COMPARED_SERVERS } from "./support/compared-servers.ts";
import { DIFFERENCES } from "./support/known-differences.ts";
import type { Difference } from "./support/known-differences.ts";
import { requires } from "./support/requires.ts";
import { TwinWorlds } from "./support/twin-worlds.ts";

const used = new Set<Difference>();

for (const kind of COMPARED_SERVERS) {
  requires(kind.program, ...new Set(CLIENT_PROGRAMS.map(({ program }) => program)))(
    `before ${kind.name}, the proxy`,
    () => {
      let worlds: TwinWorlds;

      beforeAll(async () => {
        worlds = await TwinWorlds.create(kind);
      });

      it.each(CLIENT_PROGRAMS)("gives the same to $name", async (program) => {
        const { expected, found } = await worlds.compare(program, false, used);
        expect(found).toBe(expected);
      });

      it("has nothing to say of it", () => {
        expect(worlds.proxy.process.stderr).toBe("");
      });
    },
  );
}

describe("the table of differences", () => {
  it("has none that is not there", () => {
    expect(DIFFERENCES.filter((difference) => !used.has(difference)).map(({ reason }) => reason)).toEqual([]);
  });
});
