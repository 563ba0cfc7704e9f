import type { UnflushedMode } from "./campaign-options.ts";
import type { CampaignSummary } from "./campaign-summary.ts";

/** What a campaign has shown. */
export interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

/**
 * Judges a campaign: nothing may be lost or wrong. Without protection it is a control instead: more than half of the power
 * losses with unflushed data must show losses.
 */
export function judgeCampaign({ total, failures, cycles }: CampaignSummary, unflushed: UnflushedMode): Verdict {
  const failed = failures === 0 ? "" : ` ${failures} of ${cycles} cycles failed otherwise.`;
  if (unflushed === "off") {
    const text = `control: in ${total.unflushedLost} of ${total.unflushed} power losses with unflushed data something was lost.`;
    return { isGood: total.unflushedLost * 2 > total.unflushed && failures === 0, text: text + failed };
  }
  const text = `${total.wrongBlocks} blocks lost or wrong after ${total.faults} faults, ${total.unflushed} of them power losses with unflushed data.`;
  return { isGood: total.wrongBlocks === 0 && failures === 0, text: text + failed };
}
