// Runs the simulation outside the test runner: node scripts/simulate.mjs [--seed N] [--histories M] [--jobs N]
// [--mutation NAME] [--world NAME] [--enough FAILURES].
import { runCompiled } from "./compiled.mjs";

await runCompiled("test/simulation/campaign-command.ts");
