import { eventually } from "./eventually.ts";
import type { Ground } from "./ground.ts";

const RESET_DEADLINE_MS = 5000;

/** Whose socket is taken away. The other end learns of it by a reset, and has by then perhaps more to read or to send. */
export type ResetEnd = "proxy" | "server" | "both";

/** Resets a connection between proxy and server, waiting for one if there is none. Throws when that can't be done here. */
export async function resetConnection(ground: Ground, port: number, end: ResetEnd): Promise<void> {
  const filter = {
    proxy: `( dport = :${port} )`,
    server: `( sport = :${port} )`,
    both: `( dport = :${port} or sport = :${port} )`,
  };
  const select = ["--tcp", "--numeric", "--no-header", "state", "established", filter[end]];
  const closed = await eventually("a connection to reset", RESET_DEADLINE_MS, async () => {
    const lines = addressesIn(await ground.run("ss", "--kill", ...select));
    return lines.length > 0 && lines;
  });
  const left = addressesIn(await ground.run("ss", ...select));
  if (left.some((addresses) => closed.includes(addresses))) throw new Error("ss --kill closes nothing on this machine");
}

/** From now on nothing arrives. */
export async function cutNetwork(ground: Ground): Promise<void> {
  await ground.run("nft", "table inet cut { chain input { type filter hook input priority 0; policy drop; }; }");
}

/** Everything arrives again. */
export async function mendNetwork(ground: Ground): Promise<void> {
  await ground.run("nft", "delete table inet cut");
}

/** Both ends of each connection in what ss prints. */
function addressesIn(text: string): string[] {
  const rows = text.split("\n").map((line) => line.match(/\S+:\d+/g) ?? []);
  return rows.filter((addresses) => addresses.length === 2).map((addresses) => addresses.join(" "));
}
