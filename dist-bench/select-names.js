/**
 * The names that some patterns mean, in their own order; all of them when there is no pattern. A pattern is one or more
 * whole words of a name, so that `read-4k-d1` is not `read-4k-d16`; with `=` before it, it is the name itself. Throws
 * when a pattern means nothing.
 */
export function selectNames(names, patterns) {
    if (patterns.length === 0)
        return [...names];
    const chosen = new Set(patterns.flatMap((pattern) => matching(names, pattern)));
    return names.filter((name) => chosen.has(name));
}
function matching(names, pattern) {
    const found = names.filter((name) => pattern.startsWith("=") ? name === pattern.slice(1) : wordsOf(name).includes(wordsOf(pattern)));
    if (found.length === 0)
        throw new Error(`${JSON.stringify(pattern)} is none of ${names.join(", ")}`);
    return found;
}
/** The words, each with a blank before and behind it. */
function wordsOf(text) {
    return ` ${text.split(/[-\s]+/).join(" ")} `;
}
//# sourceMappingURL=select-names.js.map