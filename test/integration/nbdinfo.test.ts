import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { run } from "./support/run.ts";

const SIZE = 3 * 1024 * 1024 + 512;

/** What nbdinfo says of an export, as far as a proxy for one client at a time can pass it on. */
async function described(uri: string): Promise<Record<string, unknown>> {
  const output = JSON.parse(await run("nbdinfo", "--json", uri)) as { exports: Record<string, unknown>[] };
  const { uri: _uri, can_multi_conn: _multi, ...rest } = output.exports[0] ?? {};
  return rest;
}

everyChain(
  "shows nbdinfo what the server shows",
  { clients: ["nbdinfo"], sizeBytes: SIZE },
  async ({ program, ...chain }) => {
    const shown = await described(chain.proxy.uri);
    expect(shown).toMatchObject({ "export-name": chain.exportName, "export-size": SIZE, is_read_only: false });
    expect(shown).toMatchObject({ can_flush: true, can_fua: true, can_trim: true });
    // nbd-server answers INFO, which nbdinfo asks for, with a size of 0 and no flags; the proxy asks with GO.
    // Other servers may keep their block sizes to themselves; the proxy always tells.
    if (program !== "nbd-server") expect(shown).toMatchObject(await described(chain.server.uri));
  },
);
