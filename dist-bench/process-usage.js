import { readdir, readFile } from "node:fs/promises";
/** The kernel counts processor time in hundredths of a second here, whatever its own tick is. */
const TICKS_PER_SECOND = 100;
/** The usage of all processes of a group. Who ended is counted in the one who waited for it. */
export async function usageOfGroup(groupId) {
    for (;;) {
        const { pids, usage } = await readOnce(groupId);
        // One that ends in between is missed if it is gone itself but was not yet counted in the one who waits for it.
        const after = await membersOf(groupId);
        if (pids.every((pid) => after.has(pid)))
            return usage;
    }
}
async function readOnce(groupId) {
    const members = await membersOf(groupId);
    let cpuTicks = 0;
    let peakMemoryKib = 0;
    for (const [pid, stat] of members) {
        cpuTicks += stat.cpuTicks;
        peakMemoryKib += parsePeakMemory((await readIfThere(`/proc/${pid}/status`)) ?? "");
    }
    return { pids: [...members.keys()], usage: { cpuSeconds: cpuTicks / TICKS_PER_SECOND, peakMemoryKib } };
}
async function membersOf(groupId) {
    const members = new Map();
    for (const name of await readdir("/proc")) {
        if (!/^\d+$/.test(name))
            continue;
        const text = await readIfThere(`/proc/${name}/stat`);
        const stat = text === undefined ? undefined : parseProcessStat(text);
        if (stat?.groupId === groupId)
            members.set(Number(name), stat);
    }
    return members;
}
/** Reads the text of /proc/PID/stat. */
export function parseProcessStat(text) {
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [, , groupId] = fields;
    const times = fields.slice(11, 15).map(Number);
    if (groupId === undefined || times.length < 4)
        throw new Error(`not the text of /proc/PID/stat: ${text}`);
    return { groupId: Number(groupId), cpuTicks: times.reduce((sum, ticks) => sum + ticks, 0) };
}
/** The highest resident memory in KiB that the text of /proc/PID/status tells; 0 for a process that has no memory. */
export function parsePeakMemory(text) {
    return Number(/^VmHWM:\s+(?<kib>\d+) kB$/m.exec(text)?.groups?.["kib"] ?? 0);
}
async function readIfThere(path) {
    try {
        return await readFile(path, "utf8");
    }
    catch {
        // Processes come and go.
        return undefined;
    }
}
//# sourceMappingURL=process-usage.js.map