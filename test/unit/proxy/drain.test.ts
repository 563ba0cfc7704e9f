import { expect, it } from "vitest";

import type { Listener } from "../../../src/downstream/listener.ts";
import { LIMITS } from "../../../src/limits.ts";
import { drain } from "../../../src/proxy/drain.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** A listener that is empty when the test says so, or at once when it is hurried. */
function playedListener() {
  let empty = (): void => undefined;
  const drained = new Promise<void>((resolve) => (empty = resolve));
  const played = { aborted: false, empty };
  const listener = {
    drain: () => drained,
    abort: () => {
      played.aborted = true;
      empty();
    },
  };
  return { played, listener: listener as unknown as Listener };
}

it("drains a listener in time", async () => {
  const clock = new ManualClock();
  const { played, listener } = playedListener();
  const drained = drain(listener, clock);
  clock.advance(LIMITS.drainMs - 1);
  played.empty();
  expect(await drained).toBe(true);
  expect([played.aborted, clock.pending]).toEqual([false, 0]);
});

it("hurries a listener that takes too long, and says so", async () => {
  const clock = new ManualClock();
  const { played, listener } = playedListener();
  const drained = drain(listener, clock);
  clock.advance(LIMITS.drainMs);
  expect(await drained).toBe(false);
  expect([played.aborted, clock.pending]).toEqual([true, 0]);
});
