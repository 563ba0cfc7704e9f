import { writeFile } from "node:fs/promises";
import { findProgram } from "./find-program.js";
import { answerOf, describeMachine, describeVersions } from "./machine.js";
import { startMemoryServer } from "./memory-server.js";
import { otherContenders } from "./other-contenders.js";
import { ownContenders } from "./own-contenders.js";
import { runWorkload } from "./run-workload.js";
import { selectNames } from "./select-names.js";
import { summarize } from "./summary.js";
import { summaryTable } from "./summary-table.js";
import { WORKLOADS } from "./workload.js";
/** From here on something else must be running. */
const BUSY_LOAD = 0.5;
/** Runs the bench; resolves to true unless a contender failed. `main` is the built main.js of ours. */
export async function runBench(options, main, groups, display) {
    const plan = makePlan(options, main);
    display.result(describePlan(plan));
    if (options.list)
        return true;
    const machine = describeMachine();
    const startedAt = new Date().toISOString();
    display.result(`${machine.processors} x ${machine.processor}, load ${machine.load.toFixed(2)}\n`);
    if (machine.load > BUSY_LOAD)
        display.result("The machine is busy with something else: the figures are noise.\n");
    const ports = await startServers(options, plan.contenders, groups);
    const workloads = [];
    for (const workload of plan.workloads) {
        const all = await runWorkload(groups, plan.contenders, ports, workload, options, (text) => display.progress(text));
        const summaries = summarize(all);
        display.result(`\n${workload.name}\n${summaryTable(summaries, all)}`);
        workloads.push({ workload, summaries, contenders: all.map(reportOf) });
    }
    if (options.json !== undefined) {
        const { rounds, seconds, warmup, sizeMib } = options;
        const report = {
            startedAt,
            commit: describeCommit(),
            machine,
            versions: { ...describeVersions(), node: plan.nodes.map(({ version }) => version).join(", ") },
            settings: { rounds, seconds, warmup, sizeMib },
            variants: Object.fromEntries(options.variant.map(({ name, text }) => [name, text])),
            leftOut: plan.leftOut,
            workloads,
        };
        await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    return workloads.every(({ contenders }) => contenders.every(({ failure }) => failure === null));
}
function makePlan(options, main) {
    const paths = options.node.length === 0 ? [process.execPath] : options.node;
    const nodes = paths.map((path) => {
        const version = answerOf(path, "--version");
        if (version === undefined)
            throw new Error(`${path} does not run`);
        return { path, version };
    });
    const others = otherContenders(findProgram, process.env["FLEXNBD_PROXY"]);
    const ours = ownContenders({ main, variants: options.variant, builds: options.build, nodes });
    const contenders = [...others.contenders, ...ours];
    const names = contenders.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
        throw new Error(`there are two contenders with the name ${JSON.stringify(twice)}`);
    const chosen = selectNames(names, options.contender);
    const workloads = selectNames(WORKLOADS.map(({ name }) => name), options.workload);
    return {
        workloads: WORKLOADS.filter(({ name }) => workloads.includes(name)),
        contenders: contenders.filter(({ name }) => chosen.includes(name)),
        leftOut: others.leftOut,
        nodes,
    };
}
function describePlan({ workloads, contenders, leftOut }) {
    const lines = [
        `workloads: ${workloads.map(({ name }) => name).join(", ")}`,
        `contenders: ${contenders.map(({ name }) => name).join(", ")}`,
        ...leftOut.map(({ name, reason }) => `left out: ${name} (${reason})`),
    ];
    return lines.map((line) => `${line}\n`).join("");
}
/** Only those that somebody stands in front of. */
async function startServers(options, contenders, groups) {
    for (const program of ["nbdkit", "fio"]) {
        if (findProgram(program) === undefined)
            throw new Error(`${program} is not installed`);
    }
    const ports = {};
    for (const handshake of ["newstyle", "oldstyle"]) {
        if (contenders.some((contender) => contender.handshake === handshake)) {
            ports[handshake] = await startMemoryServer(groups, handshake, options.sizeMib);
        }
    }
    return ports;
}
function reportOf({ contender, rounds, failure }) {
    return { name: contender.name, role: contender.role, rounds, failure: failure ?? null };
}
function describeCommit() {
    const commit = answerOf("git", "rev-parse", "--short=12", "HEAD");
    if (commit === undefined)
        return null;
    return answerOf("git", "status", "--porcelain") === "" ? commit : `${commit}+`;
}
//# sourceMappingURL=run-bench.js.map