import type { Contender } from "../contender.ts";
import { CLIENT_COUNTS, writes } from "./scale-workload.ts";
import type { Workload } from "../workload.ts";

/** How many processes of ours are tried side by side. */
const PROCESSES = 2;

/** Those that serve many clients and say something that another does not; ours is told how many may come. */
export function scaleContenders(contenders: readonly Contender[]): Contender[] {
  return contenders
    .filter(({ handshake, role }) => handshake === "newstyle" && role !== "peer")
    .flatMap((contender) => {
      if (contender.role !== "ours") return [contender];
      const ours = withOptions(contender, `--max-clients=${Math.max(...CLIENT_COUNTS)}`);
      return [ours, { ...ours, name: `${ours.name} x${PROCESSES} processes`, processes: PROCESSES }];
    });
}

/**
 * True when a contender can do this. Several processes of ours can't be given writes: each would keep its own log, and
 * after an outage write over what another has written since.
 */
export function takesPart({ processes = 1 }: Contender, workload: Workload): boolean {
  return processes === 1 || (!writes(workload) && (workload.clients ?? 1) >= processes);
}

function withOptions(contender: Contender, ...options: readonly string[]): Contender {
  const { command } = contender;
  if (command === undefined) return contender;
  return { ...contender, command: (listenPort, serverPort) => [...command(listenPort, serverPort), ...options] };
}
