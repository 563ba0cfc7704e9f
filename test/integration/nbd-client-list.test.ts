import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { run } from "./support/run.ts";

everyChain(
  "lists its export to nbd-client",
  { clients: ["nbd-client"], sizeBytes: 4096 },
  async ({ proxy, exportName }) => {
    const { endpoint } = proxy;
    const where = endpoint.kind === "unix" ? ["-unix", endpoint.path] : [endpoint.host, String(endpoint.port)];
    // The PATH of an ordinary user may lack where Debian keeps nbd-client.
    const path = `PATH=${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    const lines = (await run("env", path, "nbd-client", "-l", ...where)).split("\n");
    expect(lines).toContain(exportName);
  },
);
