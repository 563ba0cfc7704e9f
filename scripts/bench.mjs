// Runs the bench on dist/, which must be built before, with the arguments that bench/README.md names.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCompiled } from "./compiled.mjs";

// The program that it is about.
process.argv.splice(2, 0, join(dirname(dirname(fileURLToPath(import.meta.url))), "dist", "main.js"));
await runCompiled("bench/main.ts");
