/** Reads fio's JSON of a single job that only reads or only writes. Throws for anything else, and for a failed job. */
export function parseFioResult(text) {
    // Notes of the engine may come before it.
    const start = text.indexOf("{");
    if (start === -1)
        throw new Error("fio printed no JSON");
    const report = JSON.parse(text.slice(start));
    const jobs = property(report, "jobs");
    const job = Array.isArray(jobs) ? jobs[0] : undefined;
    const error = numberAt(job, "error");
    if (error !== 0)
        throw new Error(`fio's job ended with error ${error}`);
    const direction = [property(job, "read"), property(job, "write")].find((side) => numberAt(side, "total_ios") > 0);
    if (direction === undefined)
        throw new Error("fio completed no request");
    const percentiles = property(property(direction, "lat_ns"), "percentile");
    return {
        operations: numberAt(direction, "total_ios"),
        operationsPerSecond: numberAt(direction, "iops"),
        p50Us: numberAt(percentiles, "50.000000") / 1000,
        p99Us: numberAt(percentiles, "99.000000") / 1000,
    };
}
function property(value, name) {
    if (typeof value !== "object" || value === null || !(name in value))
        throw new Error(`fio's JSON has no "${name}"`);
    return value[name];
}
function numberAt(value, name) {
    const found = property(value, name);
    if (typeof found !== "number")
        throw new Error(`"${name}" in fio's JSON is not a number`);
    return found;
}
//# sourceMappingURL=fio-result.js.map