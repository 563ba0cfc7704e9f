import { MODEL_CONTEXTS } from "./model-contexts.ts";
import type { Scenario } from "./scenario.ts";
import { BASE_ALLOCATION } from "./structured-wire.ts";

/** Few blocks, long waits at the server, and connections that are cut: where the order of what is sent again matters. */
export function contested(scenario: Scenario): Scenario {
  const { character, clients } = scenario;
  return {
    ...scenario,
    blocks: 2,
    holdTimeoutMs: undefined,
    fence: "none",
    shared: false,
    unflushed: "log",
    budgetBytes: 1 << 27,
    budgetRequests: 16_384,
    stopAtMs: undefined,
    faults: ["cut-server"],
    faultIntervalMs: 5,
    ambushChance: 0,
    calmAtMs: 500,
    character: {
      ...character,
      serveMaxMs: 1,
      lingerChance: 0.4,
      errorChance: 0,
      badMannersChance: 0,
      tearsBlocks: true,
      losesCache: false,
      flushFailChance: 0,
      lateMs: undefined,
      takesOver: true,
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

/** As contested, and every loss is that of the server's cache; what is written is often flushed. */
export function powerless(scenario: Scenario): Scenario {
  const contest = contested(scenario);
  return {
    ...contest,
    faults: ["crash"],
    faultIntervalMs: 200,
    ambushChance: 0.1,
    calmAtMs: 1000,
    character: { ...contest.character, losesCache: true },
    clients: contest.clients.map((client) => ({ ...client, readShare: 0.4, flushShare: 0.3, fuaChance: 0.15 })),
  };
}

/** As contested, and the requests of lost connections are carried out late, within the pin's time. */
export function belated(scenario: Scenario): Scenario {
  const contest = contested(scenario);
  return {
    ...contest,
    pinMs: 500,
    faultIntervalMs: 50,
    ambushChance: 0.05,
    character: { ...contest.character, lateMs: 400, takesOver: false },
  };
}

/** As powerless, and a FLUSH often fails. */
export function unflushable(scenario: Scenario): Scenario {
  const world = powerless(scenario);
  return { ...world, character: { ...world.character, flushFailChance: 0.4 } };
}

/** As belated, and clients ask which blocks are zeros, while that changes all the time. */
export function mapped(scenario: Scenario): Scenario {
  const { character, ...world } = belated(scenario);
  return {
    ...world,
    character: { ...character, structured: true, contexts: MODEL_CONTEXTS, forgetfulChance: 0 },
    clients: world.clients.map((client) => ({
      ...client,
      readShare: 0.6,
      tongue: {
        ...client.tongue,
        structured: true,
        contexts: [BASE_ALLOCATION],
        statusShare: 0.7,
        reqOneChance: 0.1,
        zeroShare: 0.5,
      },
    })),
  };
}

/** As contested, and everybody speaks of structured replies, which are often errors in the end. */
export function talkative(scenario: Scenario): Scenario {
  const { character, ...world } = contested(scenario);
  return {
    ...world,
    character: {
      ...character,
      errorChance: 0.1,
      tearsBlocks: false,
      structured: true,
      contexts: MODEL_CONTEXTS,
      forgetfulChance: 0,
    },
    clients: world.clients.map((client) => ({ ...client, tongue: { ...client.tongue, structured: true } })),
  };
}

/** The hard worlds, by name. */
export const HARD_WORLDS: Readonly<Record<string, (scenario: Scenario) => Scenario>> = {
  contested,
  powerless,
  unflushable,
  belated,
  mapped,
  talkative,
};
