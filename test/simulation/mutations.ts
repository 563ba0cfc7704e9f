import { ClientRequest } from "../../src/downstream/client-request.ts";
import { RequestFlow } from "../../src/upstream/request-flow.ts";
import { DURABILITY_MUTATIONS } from "./durability-mutations.ts";
import { belated, powerless } from "./hard-worlds.ts";
import { replaceMethod } from "./replace-method.ts";
import type { HistoryOptions } from "./run-history.ts";
import { STRUCTURED_MUTATIONS } from "./structured-mutations.ts";

/** A world in which one rule does not hold: a simulation that finds nothing there proves nothing. */
export interface Mutation {
  readonly breaks: string;
  readonly options?: HistoryOptions;
  /** Breaks the rule; returns what mends it. */
  readonly apply?: () => () => void;
}

/** The controls, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "lost-write": {
    breaks: "the server acknowledges one write in two hundred without carrying it out",
    options: { loseWriteChance: 0.005 },
  },
  nolog: {
    breaks: "R3: no copy of an acknowledged write is kept until it is flushed",
    options: { adjust: (scenario) => ({ ...powerless(scenario), unflushed: "off" }) },
  },
  "no-pin": {
    breaks: "R9: late requests of a lost connection are not guarded against",
    options: { adjust: (scenario) => ({ ...belated(scenario), pinMs: 0 }) },
  },
  "short-pin": {
    breaks: "R9: a pin ends before the last late request",
    options: { adjust: (scenario) => ({ ...belated(scenario), pinMs: 50 }) },
  },
  "forgotten-resend": {
    breaks: "what was sent over a lost connection is not sent again",
    apply: () =>
      replaceMethod(RequestFlow.prototype, "lost", () => {
        return function lost(this: RequestFlow) {
          // The connection goes, and what was sent over it still counts as sent.
        };
      }),
  },
  "early-release": {
    breaks: "the memory of a payload is given back before the request is answered",
    apply: () =>
      replaceMethod(ClientRequest.prototype, "addPayload", (original) => {
        return function addPayload(this: ClientRequest, ...payload) {
          const before = this.payload.length;
          original.apply(this, payload);
          if (this.payload.length > before) payload[0].release();
        };
      }),
  },
  ...DURABILITY_MUTATIONS,
  ...STRUCTURED_MUTATIONS,
};
