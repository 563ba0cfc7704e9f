import { ClientRequest } from "../../src/downstream/client-request.ts";
import { GateTicket, OverlapGate } from "../../src/durability/overlap-gate.ts";
import { InFlightTable } from "../../src/upstream/in-flight-table.ts";
import { RequestFlow } from "../../src/upstream/request-flow.ts";
import type { HistoryOptions } from "./run-history.ts";
import type { Scenario } from "./scenario.ts";

/** A world in which one rule does not hold: a simulation that finds nothing there proves nothing. */
export interface Mutation {
  readonly breaks: string;
  readonly options?: HistoryOptions;
  /** Breaks the rule; returns what mends it. */
  readonly apply?: () => () => void;
}

/** Few blocks, long waits at the server, and connections that are cut: where the order of what is sent again matters. */
export function contested(scenario: Scenario): Scenario {
  const { character, clients } = scenario;
  return {
    ...scenario,
    blocks: 2,
    holdTimeoutMs: undefined,
    budgetBytes: 1 << 27,
    budgetRequests: 16_384,
    stopAtMs: undefined,
    faults: ["cut-server"],
    faultIntervalMs: 5,
    calmAtMs: 500,
    character: {
      ...character,
      serveMaxMs: 1,
      lingerChance: 0.4,
      errorChance: 0,
      badMannersChance: 0,
      tearsBlocks: true,
    },
    clients: clients.map((client) => ({
      ...client,
      requests: 40,
      inFlightMax: 8,
      thinkMaxMs: 0.5,
      largestBlocks: 1,
      readShare: 0.7,
      goodbye: "patient",
    })),
  };
}

/** Replaces a method until the returned function is called. */
function replace<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  make: (original: Owner[Name]) => Owner[Name],
): () => void {
  const original = owner[name];
  owner[name] = make(original);
  return () => (owner[name] = original);
}

/** The controls, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "lost-write": {
    breaks: "the server acknowledges one write in two hundred without carrying it out",
    options: { loseWriteChance: 0.005 },
  },
  "open-gate": {
    breaks: "R2: overlapping writes may be in flight together",
    options: { adjust: contested, blindToOverlap: true },
    apply: () =>
      replace(
        OverlapGate.prototype,
        "admit",
        () =>
          function admit<Owner>(owner: Owner, start: number, end: number): GateTicket<Owner> {
            return new GateTicket(owner, start, end);
          },
      ),
  },
  "no-resend-order": {
    breaks: "R6: reads may pass the writes that are sent again",
    options: { adjust: contested, blindToOverlap: true },
    apply: () =>
      replace(InFlightTable.prototype, "add", (original) => {
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
  },
  "forgotten-resend": {
    breaks: "what was sent over a lost connection is not sent again",
    apply: () =>
      replace(RequestFlow.prototype, "lost", () => {
        return function lost(this: RequestFlow) {
          // The connection goes, and what was sent over it still counts as sent.
        };
      }),
  },
  "early-release": {
    breaks: "the memory of a payload is given back before the request is answered",
    apply: () =>
      replace(ClientRequest.prototype, "addPayload", (original) => {
        return function addPayload(this: ClientRequest, ...payload) {
          const before = this.payload.length;
          original.apply(this, payload);
          if (this.payload.length > before) payload[0].release();
        };
      }),
  },
};
