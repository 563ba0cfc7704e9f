// Draws the charts of a report with the arguments that bench/README.md names.
import { runCompiled } from "./compiled.mjs";

await runCompiled("bench/plot/main.ts");
