import type { Listener } from "../downstream/listener.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";

/** Stops a listener: what clients sent is answered, within `LIMITS.drainMs`; then they are let go. False: time ran out. */
export async function drain(listener: Listener, clock: Clock): Promise<boolean> {
  let inTime = true;
  const timer = clock.setTimer(LIMITS.drainMs, () => {
    inTime = false;
    listener.abort();
  });
  await listener.drain();
  timer.cancel();
  return inTime;
}
