import { setTimeout as delay } from "node:timers/promises";

import { failureText } from "../failure-text.ts";
import type { Outage } from "./outage.ts";
import type { RestartableServer, ServerArguments } from "./restartable-server.ts";
import type { SteadyReader } from "./steady-reader.ts";

/** Has the server away for so long, and waits for the reader's first reply after it. Throws when the server does not start. */
export async function oneOutage(
  server: RestartableServer,
  serverArguments: ServerArguments,
  reader: SteadyReader,
  lengthMs: number,
): Promise<Outage> {
  await server.kill();
  await delay(lengthMs);
  const listening = server.startAgain(serverArguments);
  // From here on a reply can only come from the new server.
  const [listened, replied] = await Promise.allSettled([listening, reader.nextReply()]);
  if (listened.status === "rejected") throw listened.reason;
  if (replied.status === "rejected") return { lengthMs, recoveryMs: null, failure: failureText(replied.reason) };
  // A reply may have come while the look that saw the server was still to begin.
  return { lengthMs, recoveryMs: Math.max(0, replied.value - listened.value), failure: null };
}
