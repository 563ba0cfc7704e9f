import { TRANSMISSION_FLAG } from "./constants.ts";

/**
 * The transmission flags that a client is shown. DF needs nothing of the disk, since pieces can be joined on the way, but means
 * something with structured replies only.
 */
export function shownFlags(flags: number, structuredReplies: boolean): number {
  const always = flags | TRANSMISSION_FLAG.HAS_FLAGS;
  return structuredReplies ? always | TRANSMISSION_FLAG.SEND_DF : always & ~TRANSMISSION_FLAG.SEND_DF;
}
