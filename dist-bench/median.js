/** The middle one of some numbers, or the mean of the middle two; undefined when there are none. */
export function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const upper = sorted[sorted.length >> 1];
    const lower = sorted[(sorted.length - 1) >> 1];
    return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
//# sourceMappingURL=median.js.map