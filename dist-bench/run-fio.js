import { setTimeout as delay } from "node:timers/promises";
import { parseFioResult } from "./fio-result.js";
/** Runs fio to its end. Throws when it fails, or is killed because the deadline has passed. */
export async function runFio(groups, args, deadlineMs) {
    const fio = groups.start("fio", args);
    const abort = new AbortController();
    const late = delay(deadlineMs, "late", { signal: abort.signal }).catch(() => "aborted");
    const first = await Promise.race([fio.ended, late]);
    abort.abort();
    if (typeof first === "string") {
        await fio.end();
        throw new Error(`fio did not end within ${deadlineMs / 1000} s`);
    }
    if ("error" in first)
        throw first.error;
    if (first.status !== 0) {
        throw new Error(`fio ended with ${first.signal ?? `status ${first.status}`}: ${lastLine(fio.stderr)}`);
    }
    return parseFioResult(fio.stdout);
}
function lastLine(text) {
    return text.trim().split("\n").at(-1) ?? "";
}
//# sourceMappingURL=run-fio.js.map