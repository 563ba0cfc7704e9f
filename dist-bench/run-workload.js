import { rotated } from "./rotated.js";
import { RunningContender } from "./running-contender.js";
/**
 * Measures all contenders under one workload, in rounds. Their processes are started afresh for it, so that their peak
 * memory is the workload's own, and live through all the rounds, as a proxy in use does. Who fails is out.
 */
export async function runWorkload(groups, contenders, ports, workload, pace, say) {
    const players = contenders.map((contender) => {
        return { contender, running: undefined, failure: undefined, rounds: [] };
    });
    for (const player of players) {
        await unlessItFails(player, async () => {
            const port = ports[player.contender.handshake];
            if (port === undefined)
                throw new Error("there is no server for it");
            player.running = await RunningContender.start(groups, player.contender, port);
            say(`${workload.name}, warming up: ${player.contender.name}`);
            await player.running.measure(workload, pace.warmup);
        });
    }
    for (let round = 0; round < pace.rounds; round += 1) {
        for (const player of rotated(players, round)) {
            const { running, contender } = player;
            if (running === undefined || player.failure !== undefined)
                continue;
            await unlessItFails(player, async () => {
                say(`${workload.name}, round ${round + 1} of ${pace.rounds}: ${contender.name}`);
                player.rounds.push(await running.measure(workload, pace.seconds));
            });
        }
    }
    for (const { running } of players)
        await running?.end();
    return players.map(({ contender, rounds, failure }) => ({ contender, rounds, failure }));
}
async function unlessItFails(player, work) {
    try {
        await work();
    }
    catch (error) {
        player.failure = error instanceof Error ? error.message : String(error);
    }
}
//# sourceMappingURL=run-workload.js.map