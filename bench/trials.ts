import { GARBAGE } from "./garbage/garbage-trial.ts";
import { POWER_LOSS } from "./power-loss/power-loss-trial.ts";
import { RECOVERY } from "./recovery/recovery-trial.ts";
import { LINKS_TRIAL } from "./links/links-trial.ts";
import { SAFETY } from "./safety/safety-trial.ts";
import { SCALE } from "./scale/scale-trial.ts";
import { SOAK } from "./soak/soak-trial.ts";
import { THROUGHPUT } from "./throughput/throughput-trial.ts";
import type { Trial } from "./trial.ts";

/** All trials, in the order in which they are run. */
export const TRIALS: readonly Trial[] = [THROUGHPUT, SAFETY, SCALE, GARBAGE, RECOVERY, POWER_LOSS, LINKS_TRIAL, SOAK];
