import type { LogLevel } from "../config/log-level.ts";
import { LineLog } from "../observability/line-log.ts";
import { RealClock } from "../system/real-clock.ts";
import { RealRandom } from "../system/real-random.ts";
import { NodeNetwork } from "../transport/node-network.ts";
import type { Surroundings } from "./surroundings.ts";

/** The machine itself: its network, its clock, its randomness, and a log on stderr. */
export function realSurroundings(level: LogLevel): Surroundings & { readonly log: LineLog } {
  const clock = new RealClock();
  const log = new LineLog({ clock, level, write: (line) => process.stderr.write(line) });
  return { clock, random: new RealRandom(), network: new NodeNetwork(), log };
}
