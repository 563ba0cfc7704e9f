import assert from "node:assert";
import { setTimeout as delay } from "node:timers/promises";

import type { Contender } from "../contender.ts";
import { memoryServerArguments } from "../memory-server.ts";
import type { ProcessGroups } from "../process-groups.ts";
import { startProxy } from "../started-proxy.ts";
import type { StartedProxy } from "../started-proxy.ts";
import { oneOutage } from "./one-outage.ts";
import type { Outage } from "./outage.ts";
import { RestartableServer } from "./restartable-server.ts";
import type { ServerArguments } from "./restartable-server.ts";
import { SteadyReader } from "./steady-reader.ts";

/** For how long all is well before the next outage. */
const CALM_MS = 500;
/** A disk that is only read, whose content goes with the server. */
const SIZE_MIB = 64;

/**
 * Sends a contender with a server of its own through one outage after the other, with a client connected all the time. A
 * contender that tells the client of an outage is started afresh, as is the client. Throws when something else fails.
 */
export async function runOutages(
  groups: ProcessGroups,
  contender: Contender,
  lengthsMs: readonly number[],
  say: (text: string) => void,
): Promise<Outage[]> {
  const serverArguments: ServerArguments = (port) => memoryServerArguments(port, contender.handshake, SIZE_MIB);
  const server = await RestartableServer.start(groups, serverArguments);
  let seat = await takeSeat(groups, contender, server);
  const outages: Outage[] = [];
  for (const lengthMs of lengthsMs) {
    await delay(CALM_MS);
    const outage = await oneOutage(server, serverArguments, seat.reader, lengthMs);
    outages.push(outage);
    say(`outage ${outages.length} of ${lengthsMs.length}: ${contender.name}, ${outage.failure ?? "held"}`);
    if (outage.failure === null) continue;
    await leaveSeat(seat);
    seat = await takeSeat(groups, contender, server);
  }
  await leaveSeat(seat);
  await server.kill();
  return outages;
}

/** A contender in front of the server, and a client in front of the contender. */
interface Seat {
  readonly proxy: StartedProxy;
  readonly reader: SteadyReader;
}

async function takeSeat(groups: ProcessGroups, contender: Contender, server: RestartableServer): Promise<Seat> {
  assert(contender.command !== undefined, "there must be somebody to wait for the server");
  const proxy = await startProxy(groups, contender.command, server.port);
  return { proxy, reader: await SteadyReader.connect(proxy.port, SIZE_MIB * 1024 * 1024) };
}

async function leaveSeat({ proxy, reader }: Seat): Promise<void> {
  reader.close();
  await proxy.group.end();
}
