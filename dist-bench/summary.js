import { median } from "./median.js";
/** Sums up one workload: for each contender that was measured at all, in the order given. */
export function summarize(all) {
    const measured = all.filter(({ rounds }) => rounds.length > 0);
    const withRole = (role) => measured.filter(({ contender }) => contender.role === role);
    const byMedian = (figure) => (a, b) => medianOf(a, figure) - medianOf(b, figure);
    const [direct] = withRole("direct");
    const [pipe] = withRole("pipe");
    const fastest = withRole("resilient").sort(byMedian(speed)).at(-1);
    const [quickest] = withRole("resilient").sort(byMedian(p99));
    return measured.map((series) => {
        const speeds = series.rounds.map(speed);
        const cpu = series.rounds.flatMap(({ cpuUsPerOperation }) => cpuUsPerOperation ?? []);
        const memory = series.rounds.flatMap(({ peakMemoryKib }) => peakMemoryKib ?? []);
        return {
            name: series.contender.name,
            operationsPerSecond: medianOf(series, speed),
            operationsPerSecondMin: Math.min(...speeds),
            operationsPerSecondMax: Math.max(...speeds),
            ratioToDirect: ratio(series, direct, speed),
            ratioToBestPeer: ratio(series, fastest, speed),
            ratioToPipe: ratio(series, pipe, speed),
            p50Us: medianOf(series, (round) => round.p50Us),
            p99Us: medianOf(series, p99),
            p99RatioToBestPeer: ratio(series, quickest, p99),
            p99RatioToPipe: ratio(series, pipe, p99),
            cpuUsPerOperation: median(cpu) ?? null,
            peakMemoryKib: memory.length === 0 ? null : Math.max(...memory),
        };
    });
}
const speed = (round) => round.operationsPerSecond;
const p99 = (round) => round.p99Us;
function medianOf(series, figure) {
    return median(series.rounds.map(figure)) ?? Number.NaN;
}
function ratio(series, base, figure) {
    const ofEachRound = series.rounds.flatMap((round, i) => {
        const other = base?.rounds[i];
        return other === undefined ? [] : [figure(round) / figure(other)];
    });
    return median(ofEachRound) ?? null;
}
//# sourceMappingURL=summary.js.map