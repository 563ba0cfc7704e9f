import { INVARIANTS } from "../../src/durability/invariants.ts";
import { PinnedRanges } from "../../src/durability/pinned-ranges.ts";
import { WriteLog } from "../../src/durability/write-log.ts";
import { FlushDesk } from "../../src/upstream/flush-desk.ts";
import { PinKeeper } from "../../src/upstream/pin-keeper.ts";
import { DURABILITY_MUTATIONS } from "../simulation/durability-mutations.ts";
import { replaceMethod } from "../simulation/replace-method.ts";
import type { WorldOptions } from "./world.ts";

/** A proxy in which one rule does not hold, and how much has to happen before that shows. */
export interface Control {
  readonly breaks: string;
  readonly operations: number;
  readonly faults: number;
  readonly waits: number;
  readonly flow?: WorldOptions["flow"];
  /** Breaks the rule; returns what mends it. */
  readonly apply?: () => () => void;
}

/** The rules that the simulation breaks as well, with the operations, faults and waits that show it. */
const SHARED: Readonly<Record<string, readonly [operations: number, faults: number, waits: number]>> = {
  nobarrier: [2, 1, 0],
  nozeroes: [2, 1, 0],
  nofua: [2, 1, 0],
  failtrim: [2, 2, 0],
  retryflush: [2, 2, 1],
  twoflush: [3, 1, 0],
  trimall: [2, 1, 0],
  noquiesce: [3, 1, 1],
  earlyflush: [2, 1, 0],
  "pin-without-overlay": [3, 1, 0],
  "pin-without-fua": [3, 1, 0],
  "pin-without-gate": [3, 1, 1],
  nogate: [3, 1, 0],
  noresendbarrier: [3, 1, 0],
};

/** Mutations in which our own checks do not speak first. */
function unchecked(...replacements: readonly (() => () => void)[]): () => () => void {
  return () => {
    const mend = [replaceMethod(INVARIANTS, "check", () => () => undefined), ...replacements.map((apply) => apply())];
    return () => {
      for (const undo of mend.toReversed()) undo();
    };
  };
}

const shared = Object.entries(SHARED).map(([name, [operations, faults, waits]]): [string, Control] => {
  const { breaks = name, apply = () => () => undefined } = DURABILITY_MUTATIONS[name] ?? {};
  return [name, { breaks, operations, faults, waits, apply }];
});

/** The controls, by name: a search that finds nothing there proves nothing. */
export const CONTROLS: Readonly<Record<string, Control>> = {
  nolog: {
    breaks: "R3: no copy of an acknowledged write is kept until it is flushed",
    operations: 1,
    faults: 1,
    waits: 0,
    flow: { unflushed: "off" },
  },
  "no-pin": {
    breaks: "R9: late requests of a lost connection are not guarded against",
    operations: 2,
    faults: 1,
    waits: 0,
    flow: { pinMs: 0 },
  },
  "short-pin": {
    breaks: "R9: a pin ends before the last late request",
    operations: 2,
    faults: 1,
    waits: 0,
    flow: { pinMs: 50_000 },
  },
  "unpinned-replay": {
    breaks: "R9: what was being written again when the connection was lost is not pinned",
    operations: 2,
    faults: 2,
    waits: 0,
    apply: unchecked(() =>
      replaceMethod(PinKeeper.prototype, "pin", (original) => {
        return function pin(this: PinKeeper, entry) {
          if (entry.kind === "user") original.call(this, entry);
        };
      }),
    ),
  },
  "trimmed-pin": {
    breaks: "R9: what is pinned leaves the log when it is flushed",
    operations: 3,
    faults: 1,
    waits: 0,
    apply: unchecked(() =>
      replaceMethod(WriteLog.prototype, "trim", (original) => {
        return function trim(this: WriteLog<never>, number) {
          const mend = replaceMethod(PinnedRanges.prototype, "overlaps", () => () => false);
          original.call(this, number);
          mend();
        };
      }),
    ),
  },
  "pin-not-flushed": {
    breaks: "R9: what was written again at the end of a pin counts as stable without a FLUSH",
    operations: 2,
    faults: 2,
    waits: 1,
    apply: unchecked(() =>
      replaceMethod(WriteLog.prototype, "renew", () => {
        return function renew(this: WriteLog<never>) {
          this.forgetStable();
        };
      }),
    ),
  },
  "pin-not-renewed": {
    breaks: "R9: a further loss does not prolong a pin",
    operations: 3,
    faults: 2,
    waits: 1,
    apply: unchecked(() =>
      replaceMethod(PinnedRanges.prototype, "pin", (original) => {
        return function pin(this: PinnedRanges, start, end, untilMs) {
          original.call(this, start, end, Math.min(untilMs, this.nextEndMs ?? Infinity));
        };
      }),
    ),
  },
  "forgotten-flush": {
    breaks: "a client that waits for a FLUSH is forgotten when the connection is lost",
    operations: 1,
    faults: 1,
    waits: 0,
    apply: unchecked(() => replaceMethod(FlushDesk.prototype, "lost", () => () => undefined)),
  },
  ...Object.fromEntries(shared),
};
