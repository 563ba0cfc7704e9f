import { LINKS_TRIAL } from "./links/links-trial.ts";
import { SAFETY } from "./safety/safety-trial.ts";
import { SCALE } from "./scale/scale-trial.ts";
import { THROUGHPUT } from "./throughput/throughput-trial.ts";
import type { Trial } from "./trial.ts";

/** All trials, in the order in which they are run. */
export const TRIALS: readonly Trial[] = [THROUGHPUT, SAFETY, SCALE, LINKS_TRIAL];
