import { spawn } from "node:child_process";
const STDERR_KEPT_CHARACTERS = 4096;
/** All processes that a run of the bench has started, each with the children that it forks. */
export class ProcessGroups {
    #living = new Set();
    /** Starts a program in a process group of its own. */
    start(program, args) {
        const group = new ProcessGroup(program, args, () => this.#living.delete(group));
        this.#living.add(group);
        return group;
    }
    /** Kills everything that still runs, without waiting. */
    kill() {
        for (const group of this.#living)
            group.kill();
    }
    /** Kills everything that still runs and waits for the end. */
    async end() {
        await Promise.all([...this.#living].map((group) => group.end()));
    }
}
/** A program that runs, with its output collected. */
export class ProcessGroup {
    /** Fulfilled when it has ended and all its output was read. */
    ended;
    #child;
    #outcome;
    #stdout = "";
    #stderr = "";
    constructor(program, args, onEnd) {
        // Its own group: a signal reaches what it forks, and Ctrl-C on the terminal reaches nobody but the bench.
        this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: environment() });
        this.#child.stdout?.setEncoding("utf8").on("data", (text) => (this.#stdout += text));
        this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
            this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
        });
        this.ended = new Promise((resolve) => {
            const end = (outcome) => {
                this.#outcome ??= outcome;
                onEnd();
                resolve(this.#outcome);
            };
            this.#child.once("error", (error) => end({ error }));
            this.#child.once("close", (status, signal) => end({ status, signal }));
        });
    }
    /** The process group's number, which is that of its first process. */
    get id() {
        if (this.#child.pid === undefined)
            throw new Error("it could not be started");
        return this.#child.pid;
    }
    /** How it ended, or undefined while it runs. */
    get outcome() {
        return this.#outcome;
    }
    get stdout() {
        return this.#stdout;
    }
    /** The last of what it wrote to stderr. */
    get stderr() {
        return this.#stderr;
    }
    /** Kills all its processes, without waiting. */
    kill() {
        if (this.#child.pid === undefined || this.#outcome !== undefined)
            return;
        try {
            process.kill(-this.#child.pid, "SIGKILL");
        }
        catch {
            // It ended by itself just now.
        }
    }
    /** Kills all its processes and waits for the end. */
    async end() {
        this.kill();
        await this.ended;
    }
}
/** Without the variables that are options of the proxy: a run must not depend on what a shell happens to export. */
function environment() {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("FLEXNBD_")));
}
//# sourceMappingURL=process-groups.js.map