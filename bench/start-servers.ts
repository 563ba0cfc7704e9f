import type { Contender } from "./contender.ts";
import { startMemoryServer } from "./memory-server.ts";
import type { ProcessGroups } from "./process-groups.ts";
import type { ServerPorts } from "./run-workload.ts";

/** Starts a memory server for each handshake that a contender needs; only those that somebody stands in front of. */
export async function startServers(
  groups: ProcessGroups,
  contenders: readonly Contender[],
  sizeMib: number,
): Promise<ServerPorts> {
  const ports: { -readonly [Handshake in keyof ServerPorts]: ServerPorts[Handshake] } = {};
  for (const { handshake } of contenders) ports[handshake] ??= await startMemoryServer(groups, handshake, sizeMib);
  return ports;
}
