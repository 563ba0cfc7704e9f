import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 5;

/** Asks again and again until the answer is neither undefined nor false. Throws when that takes too long. */
export async function eventually<Answer>(
  what: string,
  deadlineMs: number,
  question: () => Answer | undefined | false | Promise<Answer | undefined | false>,
): Promise<Answer> {
  const startMs = performance.now();
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() - startMs > deadlineMs) throw new Error(`waited ${deadlineMs / 1000} s in vain: ${what}`);
    await delay(POLL_MS);
  }
}
