import type { CampaignServer } from "./campaign-server.ts";
import type { FaultWindow } from "./cycle-outcome.ts";
import type { CyclePlan } from "./cycle-plan.ts";
import type { DiskOnMedium } from "./disk-on-medium.ts";
import type { Ground } from "./ground.ts";
import type { ProxyProcess } from "./proxy-process.ts";

/** Everything that takes part in a cycle while it runs. */
export interface Stage {
  readonly plan: CyclePlan;
  readonly ground: Ground;
  readonly disk: DiskOnMedium;
  readonly server: CampaignServer;
  readonly proxy: ProxyProcess;
  /** One for each fault that has struck. */
  readonly windows: FaultWindow[];
}
