import { expect, it } from "vitest";

import { CLIENT_PROGRAMS } from "./support/client-programs.ts";
import { COMPARED_SERVERS } from "./support/compared-servers.ts";
import { LONG_TESTS } from "./support/long-tests.ts";
import { requires } from "./support/requires.ts";
import { Restarts } from "./support/restarts.ts";
import { TwinWorlds } from "./support/twin-worlds.ts";

/** So many restarts at least, a second apart, while the programs run in a loop. */
const RESTARTS = LONG_TESTS ? 30 : 3;

for (const kind of COMPARED_SERVERS.filter(({ restarts }) => restarts)) {
  const programs = new Set(CLIENT_PROGRAMS.map(({ program }) => program));
  requires(kind.program, ...programs)(`before ${kind.name} that is restarted every second, the proxy`, () => {
    it("gives the same to every program", async () => {
      const worlds = await TwinWorlds.create(kind);
      const restarts = new Restarts(worlds.server);
      do {
        for (const program of CLIENT_PROGRAMS) {
          const { expected, found } = await worlds.compare(program, true);
          expect(found, program.name).toBe(expected);
        }
      } while (restarts.count < RESTARTS);
      await restarts.end();
      const { process } = worlds.proxy;
      await process.until(
        "to be back",
        () => (process.stderr.match(/connected again/g)?.length ?? 0) >= restarts.count,
      );
      const log = await worlds.end();
      expect(log).not.toMatch(/^\d+:[EF]:/m);
    });
  });
}
