import { setTimeout as delay } from "node:timers/promises";

/** Waits for a promise; rejects when that takes too long. What it stands for goes on. */
export async function within<Result>(what: string, deadlineMs: number, promise: Promise<Result>): Promise<Result> {
  const abort = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`waited ${deadlineMs / 1000} s in vain: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
    late.catch(() => undefined);
  }
}
