import type { DurabilityCounters } from "../durability/durability-counters.ts";
import type { RequestFlow } from "./request-flow.ts";

/** What holds now: the counters of the rules that keep data safe, and what they hold at the moment. */
export interface DurabilityStatus extends Readonly<DurabilityCounters> {
  readonly heldRequests: number;
  /** Acknowledged bytes that are not known to be on stable storage; the fragments of the log; and its memory. */
  readonly unflushedBytes: number;
  readonly logEntries: number;
  readonly logBytes: number;
  /** The age of the oldest of them; undefined when there is none. */
  readonly oldestAgeMs: number | undefined;
  readonly pinnedBytes: number;
  readonly gateWaits: number;
  /** New writes are refused, because the server does not take what it acknowledged before. */
  readonly failed: boolean;
}

/** The status of a flow. */
export function durabilityStatus(flow: RequestFlow, counters: DurabilityCounters, nowMs: number): DurabilityStatus {
  const { unflushed } = flow;
  const { oldestMs } = unflushed.age;
  return {
    ...counters,
    heldRequests: flow.held,
    unflushedBytes: unflushed.unstableBytes,
    logEntries: unflushed.entries,
    logBytes: unflushed.heldBytes,
    oldestAgeMs: oldestMs === undefined || unflushed.unstableBytes === 0 ? undefined : nowMs - oldestMs,
    pinnedBytes: unflushed.pins.bytes,
    gateWaits: flow.gateWaits,
    failed: flow.failed,
  };
}
