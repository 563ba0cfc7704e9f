import { DIRTY_BITMAP, MODEL_CONTEXTS } from "./model-contexts.ts";
import type { Scenario } from "./scenario.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { BASE_ALLOCATION } from "./structured-wire.ts";

/** What every server has to be ready for, and more than a disk of the simulation has. */
export const LARGE_PAYLOAD_BYTES = 1 << 25;

/** How a client speaks, beside what it asks for. */
export interface ClientTongue {
  /** It asks for structured replies. */
  readonly structured: boolean;
  /** The metadata contexts that it wants; nothing is asked for when there are none. */
  readonly contexts: readonly string[];
  /** It asks first which ones there are. */
  readonly lists: boolean;
  /** How many of its reads are a BLOCK_STATUS, if it can be asked. */
  readonly statusShare: number;
  /** How likely a READ must not be fragmented, where that can be asked. */
  readonly dfChance: number;
  readonly reqOneChance: number;
  /** How many of its writes are WRITE_ZEROES. */
  readonly zeroShare: number;
}

/** Who speaks as NBD was spoken first. */
export const SIMPLE_TONGUE: ClientTongue = {
  structured: false,
  contexts: [],
  lists: false,
  statusShare: 0,
  dfChance: 0,
  reqOneChance: 0,
  zeroShare: 0.12,
};

/** Decides who of a scenario speaks of structured replies and metadata contexts. */
export function withTongues(scenario: Scenario, random: SeededRandom): Scenario {
  const structured = random.chance(0.75);
  const small = scenario.blockBytes === 512 && random.chance(0.5);
  const maximumPayloadBytes = small ? 512 * random.pick([1, 1, 2, 3]) : LARGE_PAYLOAD_BYTES;
  const { character } = scenario;
  return {
    ...scenario,
    character: {
      ...character,
      structured,
      contexts: random.pick([
        [],
        [BASE_ALLOCATION],
        [BASE_ALLOCATION],
        MODEL_CONTEXTS,
        MODEL_CONTEXTS,
        MODEL_CONTEXTS,
        [DIRTY_BITMAP],
      ]),
      offersDf: random.chance(0.7),
      forgetfulChance: random.chance(0.7) ? 0 : 0.5,
      maximumPayloadBytes,
      // EXPORT_NAME tells nothing of sizes, and a server must not come back with a smaller one.
      exportNameOnlyChance: small ? 0 : character.exportNameOnlyChance,
    },
    clients: scenario.clients.map((client) => ({ ...client, tongue: drawTongue(random) })),
  };
}

function drawTongue(random: SeededRandom): ClientTongue {
  const contexts = [BASE_ALLOCATION, DIRTY_BITMAP, "x-nobody:nothing"].filter(() => random.chance(0.75));
  return {
    structured: random.chance(0.7),
    contexts: random.chance(0.1) ? [] : random.shuffled(contexts),
    lists: random.chance(0.3),
    statusShare: random.pick([0.1, 0.4, 0.8]),
    dfChance: random.pick([0, 0.2, 0.5]),
    reqOneChance: random.pick([0, 0.3, 1]),
    zeroShare: random.pick([0.12, 0.3, 0.6]),
  };
}
