import type { Contender } from "./contender.ts";
import { freePort, untilListening } from "./listening-port.ts";
import type { ProcessGroup, ProcessGroups } from "./process-groups.ts";

/** A program that stands between a client and a server, and listens. */
export interface StartedProxy {
  readonly group: ProcessGroup;
  /** Of 127.0.0.1. */
  readonly port: number;
}

/** Starts a contender's command once in front of the server on a port, and waits until it listens. */
export async function startProxy(
  groups: ProcessGroups,
  command: NonNullable<Contender["command"]>,
  serverPort: number,
): Promise<StartedProxy> {
  const port = await freePort();
  const [program, ...args] = command(port, serverPort);
  const group = groups.start(program, args);
  await untilListening(port, group);
  return { group, port };
}
