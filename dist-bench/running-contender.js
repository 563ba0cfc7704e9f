import { setTimeout as delay } from "node:timers/promises";
import { fioArguments } from "./fio-arguments.js";
import { freePort, untilListening } from "./listening-port.js";
import { uriOf } from "./memory-server.js";
import { usageOfGroup } from "./process-usage.js";
import { runFio } from "./run-fio.js";
/** How much longer than asked fio may take: to connect, and to wait for what is in flight. */
const GRACE_MS = 30_000;
/** A process forked for one connection takes its peak with it when it ends: look while it runs. */
const MEMORY_POLL_MS = 250;
/** A contender that stands in front of its server. */
export class RunningContender {
    #groups;
    #group;
    #port;
    constructor(groups, group, port) {
        this.#groups = groups;
        this.#group = group;
        this.#port = port;
    }
    /** Starts it and waits until it listens. */
    static async start(groups, contender, serverPort) {
        if (contender.command === undefined)
            return new RunningContender(groups, undefined, serverPort);
        const port = await freePort();
        const [program, ...args] = contender.command(port, serverPort);
        const group = groups.start(program, args);
        await untilListening(port, group);
        return new RunningContender(groups, group, port);
    }
    /** Repeats a workload through it for so long. Throws when that fails. */
    async measure(workload, seconds) {
        const args = fioArguments(workload, uriOf(this.#port), seconds);
        const deadlineMs = seconds * 1000 + GRACE_MS;
        if (this.#group === undefined) {
            return { ...(await runFio(this.#groups, args, deadlineMs)), cpuUsPerOperation: null, peakMemoryKib: null };
        }
        const groupId = this.#group.id;
        const before = await usageOfGroup(groupId);
        const watch = watchPeakMemory(groupId);
        try {
            const result = await runFio(this.#groups, args, deadlineMs);
            const after = await usageOfGroup(groupId);
            const cpuUs = (after.cpuSeconds - before.cpuSeconds) * 1e6;
            const peakMemoryKib = Math.max(after.peakMemoryKib, await watch.stop());
            return { ...result, cpuUsPerOperation: cpuUs / result.operations, peakMemoryKib };
        }
        catch (error) {
            const said = this.#group.stderr.trim();
            throw said === "" ? error : new Error(`${String(error)}; it said: ${said}`, { cause: error });
        }
        finally {
            await watch.stop();
        }
    }
    async end() {
        await this.#group?.end();
    }
}
/** Looks at a group's memory again and again until it is stopped; that resolves to the most that was seen. */
function watchPeakMemory(groupId) {
    const abort = new AbortController();
    const watch = async () => {
        let peakKib = 0;
        while (!abort.signal.aborted) {
            peakKib = Math.max(peakKib, (await usageOfGroup(groupId)).peakMemoryKib);
            await delay(MEMORY_POLL_MS, undefined, { signal: abort.signal }).catch(() => undefined);
        }
        return peakKib;
    };
    const watching = watch();
    return {
        stop: () => {
            abort.abort();
            return watching;
        },
    };
}
//# sourceMappingURL=running-contender.js.map