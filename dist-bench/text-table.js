/** Lines of text with the columns below each other: the first one to the left, the others to the right. */
export function textTable(rows) {
    const widths = [];
    for (const row of rows) {
        for (const [i, cell] of row.entries())
            widths[i] = Math.max(widths[i] ?? 0, cell.length);
    }
    return rows
        .map((row) => row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd())
        .map((line) => `${line}\n`)
        .join("");
}
//# sourceMappingURL=text-table.js.map