import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
/** Describes this machine. */
export function describeMachine() {
    const all = cpus();
    return {
        processor: all[0]?.model.trim() ?? "unknown",
        processors: all.length,
        memoryMib: Math.round(totalmem() / 1024 / 1024),
        kernel: release(),
        load: loadavg()[0] ?? 0,
    };
}
/** What a program says when it is asked something, in one line; undefined when it can't be run. */
export function answerOf(program, ...args) {
    try {
        return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    }
    catch {
        return undefined;
    }
}
/** The versions of everything that takes part and is installed, by name. */
export function describeVersions() {
    const versions = {};
    for (const [name, flag] of [
        ["fio", "--version"],
        ["nbdkit", "--version"],
        ["qemu-nbd", "--version"],
        ["socat", "-V"],
    ]) {
        const version = /\d+(?:\.\d+)+/.exec(answerOf(name, flag) ?? "")?.[0];
        if (version !== undefined)
            versions[name] = version;
    }
    return versions;
}
//# sourceMappingURL=machine.js.map