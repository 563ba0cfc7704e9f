/** The arguments of a fio that repeats a workload on the export at `uri` for so long and reports in JSON. */
export function fioArguments(workload, uri, seconds) {
    return [...common(workload, uri), "--time_based", `--runtime=${Math.round(seconds * 1000)}ms`, "--norandommap"];
}
/** The arguments of a fio that writes every byte of the export at `uri` once. */
export function fillArguments(uri) {
    return common({ name: "fill", pattern: "write", blockSizeBytes: 1024 * 1024, depth: 4 }, uri);
}
function common(workload, uri) {
    return [
        `--name=${workload.name}`,
        "--ioengine=nbd",
        `--uri=${uri}`,
        `--rw=${workload.pattern}`,
        `--bs=${workload.blockSizeBytes}`,
        `--iodepth=${workload.depth}`,
        "--thread",
        // With few in flight, sending takes most of the time, which fio's completion latency leaves out.
        "--clat_percentiles=0",
        "--lat_percentiles=1",
        "--output-format=json",
        "--eta=never",
    ];
}
//# sourceMappingURL=fio-arguments.js.map