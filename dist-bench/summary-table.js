import { textTable } from "./text-table.js";
const HEADINGS = [
    "",
    "op/s",
    "min-max",
    "x direct",
    "x best peer",
    "x pipe",
    "p50 us",
    "p99 us",
    "cpu us/op",
    "peak MiB",
];
/** The figures of one workload as text: a line per contender, and a line per failure. */
export function summaryTable(summaries, all) {
    const failures = all.flatMap(({ contender, failure }) => failure === undefined ? [] : [`${contender.name} failed: ${failure}\n`]);
    return textTable([HEADINGS, ...summaries.map(cellsOf)]) + failures.join("");
}
function cellsOf(summary) {
    return [
        summary.name,
        summary.operationsPerSecond.toFixed(0),
        `${summary.operationsPerSecondMin.toFixed(0)}-${summary.operationsPerSecondMax.toFixed(0)}`,
        number(summary.ratioToDirect, 2),
        number(summary.ratioToBestPeer, 2),
        number(summary.ratioToPipe, 2),
        number(summary.p50Us, 0),
        number(summary.p99Us, 0),
        number(summary.cpuUsPerOperation, 1),
        number(summary.peakMemoryKib === null ? null : summary.peakMemoryKib / 1024, 1),
    ];
}
function number(value, digits) {
    return value === null ? "-" : value.toFixed(digits);
}
//# sourceMappingURL=summary-table.js.map