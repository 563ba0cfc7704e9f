import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 10;

/** Asks again and again until the answer is neither undefined nor false; throws when it takes over `deadlineMs`. */
export async function until<Answer>(
  what: string,
  condition: () => Answer | undefined | false | Promise<Answer | undefined | false>,
  deadlineMs = 20_000,
): Promise<Answer> {
  const startMs = performance.now();
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() - startMs > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await delay(POLL_MS);
  }
}
