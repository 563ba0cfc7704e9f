import { FakeNetwork } from "./fake-network.ts";
import { ManualClock } from "./manual-clock.ts";
import { RecordingLog } from "./recording-log.ts";

/** A world in the test's hands, for a proxy or an embedded server. */
export function fakeSurroundings() {
  return { network: new FakeNetwork(), clock: new ManualClock(), log: new RecordingLog(), random: { next: () => 0.5 } };
}
