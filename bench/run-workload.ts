import type { Contender, Handshake } from "./contender.ts";
import type { Measurement } from "./measurement.ts";
import type { ProcessGroups } from "./process-groups.ts";
import { rotated } from "./rotated.ts";
import { RunningContender } from "./running-contender.ts";
import type { Series } from "./series.ts";
import { unlessItFails } from "./unless-it-fails.ts";
import type { Workload } from "./workload.ts";

/** How long and how often. */
export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
}

/** Where the servers listen, by the handshake that they speak. */
export type ServerPorts = Readonly<Partial<Record<Handshake, number>>>;

/** A contender during one workload. */
interface Player {
  readonly contender: Contender;
  running: RunningContender | undefined;
  failure: string | undefined;
  readonly rounds: Measurement[];
}

/**
 * Measures all contenders under one workload, in rounds. Their processes are started afresh for it, so that their peak
 * memory is the workload's own, and live through all the rounds, as a proxy in use does. Who fails is out.
 */
export async function runWorkload(
  groups: ProcessGroups,
  contenders: readonly Contender[],
  ports: ServerPorts,
  workload: Workload,
  pace: Pace,
  say: (text: string) => void,
): Promise<Series[]> {
  const players = contenders.map((contender): Player => {
    return { contender, running: undefined, failure: undefined, rounds: [] };
  });
  for (const player of players) {
    await unlessItFails(player, async () => {
      const port = ports[player.contender.handshake];
      if (port === undefined) throw new Error("there is no server for it");
      player.running = await RunningContender.start(groups, player.contender, port);
      say(`${workload.name}, warming up: ${player.contender.name}`);
      await player.running.measure(workload, pace.warmup);
    });
  }
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const player of rotated(players, round)) {
      const { running, contender } = player;
      if (running === undefined) continue;
      await unlessItFails(player, async () => {
        say(`${workload.name}, round ${round + 1} of ${pace.rounds}: ${contender.name}`);
        player.rounds.push(await running.measure(workload, pace.seconds));
      });
    }
  }
  for (const { running } of players) await running?.end();
  return players.map(({ contender, rounds, failure }) => ({ contender, rounds, failure }));
}
