// Runs every history up to a size: node scripts/exhaustive.mjs [--operations 3] [--faults 2] [--waits 1] [--jobs N]
// [--mutation NAME] [--all] [--replay WORKLOAD/CHOICES].
import { runCompiled } from "./compiled.mjs";

await runCompiled("test/exhaustive/exhaustive-command.ts");
