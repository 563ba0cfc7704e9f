import { FlushTurn } from "../../src/durability/flush-turn.ts";
import { INVARIANTS } from "../../src/durability/invariants.ts";
import { GateTicket, OverlapGate } from "../../src/durability/overlap-gate.ts";
import { PinnedRanges } from "../../src/durability/pinned-ranges.ts";
import { type Sendable, SendingOrder } from "../../src/durability/sending-order.ts";
import { SentWrites } from "../../src/durability/sent-writes.ts";
import { InFlightTable } from "../../src/upstream/in-flight-table.ts";
import { RequestFlow } from "../../src/upstream/request-flow.ts";
import { RequestQueue } from "../../src/upstream/request-queue.ts";
import { UnflushedLog } from "../../src/upstream/unflushed-log.ts";
import { belated, contested, powerless, unflushable } from "./hard-worlds.ts";
import type { Mutation } from "./mutations.ts";
import { replayOldestFirst } from "./oldest-first.ts";
import { replaceMethod } from "./replace-method.ts";
import type { Scenario } from "./scenario.ts";
import * as wire from "./wire.ts";

/** Mutations in which our own checks do not speak first: what clients see must give it away. */
function unchecked(...replacements: readonly (() => () => void)[]): () => () => void {
  return () => {
    const mend = [replaceMethod(INVARIANTS, "check", () => () => undefined), ...replacements.map((apply) => apply())];
    return () => {
      for (const undo of mend.toReversed()) undo();
    };
  };
}

/** Lets more be sent while a connection is not open yet. */
function alsoSends(what: Sendable): () => () => void {
  return () =>
    replaceMethod(SendingOrder.prototype, "maySend", (original) => {
      return function maySend(this: SendingOrder, wanted) {
        const early = wanted === what && (this.phase === "replaying" || this.phase === "resending");
        return early || original.call(this, wanted);
      };
    });
}

/** Replaces a getter of a prototype. */
function replaceGetter(owner: object, name: string, get: () => unknown): () => void {
  const original = Object.getOwnPropertyDescriptor(owner, name) ?? {};
  Object.defineProperty(owner, name, { ...original, get });
  return () => Object.defineProperty(owner, name, original);
}

/** Forgets some of what is acknowledged. */
function forgets(which: (command: number, stable: boolean) => boolean): () => () => void {
  return () =>
    replaceMethod(UnflushedLog.prototype, "acknowledged", (original) => {
      return function acknowledged(this: UnflushedLog, entry, stable, awaited) {
        if (!which(entry.command, stable)) original.call(this, entry, stable, awaited);
      };
    });
}

function withoutFua(scenario: Scenario): Scenario {
  return { ...scenario, clients: scenario.clients.map((client) => ({ ...client, fuaChance: 0 })) };
}

/** The controls of the rules of durability: each leaves out one of them. */
export const DURABILITY_MUTATIONS: Readonly<Record<string, Mutation>> = {
  nobarrier: {
    breaks: "R6: new requests pass the replay",
    options: { adjust: powerless, blindToOverlap: true },
    apply: unchecked(alsoSends("request")),
  },
  nozeroes: {
    breaks: "R4: WRITE_ZEROES is not kept",
    options: { adjust: powerless },
    apply: unchecked(forgets((command) => command === wire.WRITE_ZEROES)),
  },
  nofua: {
    breaks: "R4: an acknowledged FUA write does not supersede what it covers",
    options: { adjust: powerless },
    apply: unchecked(forgets((_command, stable) => stable)),
  },
  failtrim: {
    breaks: "R5: a failed FLUSH trims the log",
    options: { adjust: unflushable },
    apply: unchecked(() =>
      replaceMethod(FlushTurn.prototype, "answered", (original) => {
        return function answered(this: FlushTurn<unknown>, flush) {
          return original.call(this, flush, true);
        };
      }),
    ),
  },
  retryflush: {
    breaks: "R5: after a failed FLUSH the log is not written again before the next one",
    options: { adjust: unflushable },
    apply: unchecked(() => replaceGetter(FlushTurn.prototype, "rewriteIsDue", () => false)),
  },
  twoflush: {
    breaks: "R5: two FLUSHes at the server at once",
    options: { adjust: unflushable },
    apply: unchecked(() => replaceGetter(FlushTurn.prototype, "free", () => true)),
  },
  trimall: {
    breaks: "R5: a FLUSH trims what was acknowledged after it was sent",
    options: { adjust: powerless },
    apply: unchecked(() =>
      replaceMethod(UnflushedLog.prototype, "trim", (original) => {
        return function trim(this: UnflushedLog) {
          original.call(this, this.number);
        };
      }),
    ),
  },
  fifo: {
    breaks: "R4: everything unflushed is written again, the oldest first, instead of the newest content only",
    options: { adjust: (scenario) => withoutFua(unflushable(scenario)), blindToOverlap: true },
    apply: unchecked(replayOldestFirst),
  },
  noquiesce: {
    breaks: "R5: the log is written again while writes are under way",
    options: { adjust: unflushable, blindToOverlap: true },
    apply: unchecked(() => replaceGetter(SentWrites.prototype, "count", () => 0)),
  },
  earlyflush: {
    breaks: "R6: FLUSH passes the replay",
    options: { adjust: powerless },
    apply: unchecked(alsoSends("flush"), () =>
      replaceMethod(RequestFlow.prototype, "connected", (original) => {
        return function connected(this: RequestFlow, session) {
          original.call(this, session);
          this.flushSoon();
        };
      }),
    ),
  },
  "pin-without-overlay": {
    breaks: "R9: reads of pinned ranges show what the server has",
    options: { adjust: belated },
    apply: unchecked(() =>
      replaceMethod(UnflushedLog.prototype, "seen", () => {
        return function seen(_entry, reply) {
          return reply;
        };
      }),
    ),
  },
  "pin-without-fua": {
    breaks: "R9: an acknowledged FUA write over a pinned range is not kept",
    options: { adjust: belated },
    apply: unchecked(() =>
      replaceMethod(UnflushedLog.prototype, "acknowledged", (original) => {
        return function acknowledged(this: UnflushedLog, entry, stable, awaited) {
          const mend = stable ? replaceMethod(PinnedRanges.prototype, "overlaps", () => () => false) : undefined;
          original.call(this, entry, stable, awaited);
          mend?.();
        };
      }),
    ),
  },
  "pin-without-gate": {
    breaks: "R9: a pin ends with requests over it still under way",
    options: { adjust: belated, blindToOverlap: true },
    apply: unchecked(
      () => replaceMethod(RequestQueue.prototype, "reads", () => () => []),
      () =>
        replaceMethod(RequestQueue.prototype, "admit", (original) => {
          return function admit(this: RequestQueue, request, owner, kind) {
            if (kind !== "own") return original.call(this, request, owner, kind);
            return this.table.add(request, owner, kind);
          };
        }),
    ),
  },
  nogate: {
    breaks: "R2: overlapping writes may be in flight together",
    options: { adjust: contested, blindToOverlap: true },
    apply: unchecked(() =>
      replaceMethod(
        OverlapGate.prototype,
        "admit",
        () =>
          function admit<Owner>(owner: Owner, start: number, end: number): GateTicket<Owner> {
            return new GateTicket(owner, start, end);
          },
      ),
    ),
  },
  noresendbarrier: {
    breaks: "R6: reads may pass the writes that are sent again",
    options: { adjust: contested, blindToOverlap: true },
    apply: unchecked(() =>
      replaceMethod(InFlightTable.prototype, "add", (original) => {
        return function add(this: InFlightTable, ...request) {
          const entry = original.apply(this, request);
          Object.defineProperty(entry, "sentBefore", {
            get: () => false,
            set() {
              // It does not remember.
            },
          });
          return entry;
        };
      }),
    ),
  },
};
