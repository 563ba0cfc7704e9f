import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { parseBenchOptions } from "./bench-options.js";
import { ProcessGroups } from "./process-groups.js";
import { runBench } from "./run-bench.js";
const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
process.exitCode = await main();
/** Runs the command line; resolves to the exit status. */
async function main() {
    const groups = new ProcessGroups();
    // Also when something was thrown, or stdout is gone.
    process.once("exit", () => groups.kill());
    for (const [signal, status] of Object.entries(SIGNAL_STATUS))
        process.once(signal, () => process.exit(status));
    const out = (text) => void process.stdout.write(text);
    const error = (text) => void process.stderr.write(text);
    try {
        const options = parseBenchOptions(process.argv.slice(2), { out, error });
        const built = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist", "main.js");
        if (!existsSync(built))
            throw new Error("dist/main.js is missing: npm run build");
        const progress = (text) => error(`${text}\n`);
        return (await runBench(options, built, groups, { result: out, progress })) ? 0 : 1;
    }
    catch (failure) {
        if (failure instanceof CommanderError)
            return failure.exitCode === 0 ? 0 : 2;
        error(`bench: ${failure instanceof Error ? failure.message : String(failure)}\n`);
        return 1;
    }
    finally {
        await groups.end();
    }
}
//# sourceMappingURL=main.js.map