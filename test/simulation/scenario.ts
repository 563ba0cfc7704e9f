import type { ClientScript } from "./simulated-client.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerCharacter } from "./server-character.ts";
import type { LinkWeather } from "./simulated-stream.ts";

/** The faults that may come over a history. */
export const FAULTS = [
  "cut-server",
  "crash",
  "shut-down",
  "freeze-server",
  "cut-client",
  "freeze-client",
  "hang-server",
] as const;

/** Everything that a seed decides about a history before it begins. */
export interface Scenario {
  readonly blocks: number;
  readonly blockBytes: number;
  readonly slabBytes: number;
  readonly idleSlabs: number;
  readonly budgetBytes: number;
  readonly budgetRequests: number;
  readonly maxClients: number;
  readonly holdTimeoutMs: number | undefined;
  /** After how long without a word the proxy doubts the server, and asks an idle one for a sign of life. */
  readonly upstreamTimeoutMs: number;
  readonly idlePingMs: number | undefined;
  readonly clients: readonly ClientScript[];
  readonly weather: LinkWeather;
  readonly character: ServerCharacter;
  readonly faults: readonly (typeof FAULTS)[number][];
  readonly faultIntervalMs: number;
  /** When the faults stop. */
  readonly calmAtMs: number;
  /** The proxy is stopped in the middle of it all instead of at the end. */
  readonly stopAtMs: number | undefined;
}

/** The room that a read must find in a slab, which a slab in turn has to exceed by the longest unfinished message. */
const READ_ROOM_BYTES = 8 * 1024;

/**
 * Draws a scenario. Each kind of trouble is absent from many histories, so that none hides behind another, and a few
 * blocks are shared by everybody, so that much overlaps.
 */
export function drawScenario(random: SeededRandom): Scenario {
  const mostly = (usual: number, ...others: readonly number[]): number =>
    random.chance(0.6) ? usual : random.pick(others);
  const blocks = 1 + random.integer(random.pick([2, 4, 8]));
  const faultKinds = FAULTS.filter(() => random.chance(0.4));
  const holdTimeoutMs = random.chance(0.1) ? random.between(50, 2000) : undefined;
  const errorChance = mostly(0, 0, 0.02, 0.2);
  return {
    blocks,
    blockBytes: random.pick([16, 16, 64, 512]),
    slabBytes: READ_ROOM_BYTES + random.pick([256, 512, 1024, 4096]),
    idleSlabs: random.pick([0, 4, 32]),
    budgetBytes: mostly(1 << 27, 1, 512, 4096),
    budgetRequests: mostly(16_384, 1, 2, 5),
    maxClients: mostly(1, 2, 4),
    holdTimeoutMs,
    upstreamTimeoutMs: mostly(30_000, 6000),
    idlePingMs: random.chance(0.2) ? random.between(1000, 5000) : undefined,
    clients: drawClients(random, blocks),
    weather: {
      latencyMinMs: 0,
      latencyMaxMs: random.pick([0.1, 0.5, 2]),
      cutChance: mostly(0, 0.05, 0.3, 0.8),
      shortReadChance: mostly(0, 0.05, 0.3),
      windowBytes: mostly(1 << 20, 50, 500, 5000),
    },
    character: {
      serveMaxMs: random.pick([0.05, 1, 5]),
      lingerChance: random.pick([0, 0.1, 0.4]),
      piecesChance: mostly(0, 0.2),
      errorChance,
      tearsBlocks: errorChance === 0 && holdTimeoutMs === undefined,
      badMannersChance: mostly(0, 0.3, 0.7),
      poorerChance: mostly(0, 0.5),
      exportNameOnlyChance: mostly(0, 0.5, 1),
      loseWriteChance: 0,
      jealousChance: random.pick([0, 0, 0.5, 1]),
    },
    faults: faultKinds,
    faultIntervalMs: random.pick([2, 5, 20, 100]),
    calmAtMs: random.pick([20, 100, 500]),
    stopAtMs: random.chance(0.08) ? random.between(1, 100) : undefined,
  };
}

function drawClients(random: SeededRandom, blocks: number): readonly ClientScript[] {
  const clients: ClientScript[] = [];
  const count = 1 + random.integer(4);
  for (let number = 0; number < count; number += 1) {
    clients.push({
      name: String.fromCodePoint(0x41 + number),
      startMs: random.chance(0.5) ? 0 : random.between(0, 50),
      handshake: random.pick(["go", "go", "info-then-go", "export-name"]),
      eager: random.chance(0.2),
      requests: 1 + random.integer(random.pick([5, 15, 30])),
      inFlightMax: random.pick([1, 2, 4, 8, 16]),
      thinkMaxMs: random.pick([0, 0.5, 3, 10]),
      largestBlocks: random.pick([1, 2, 3, blocks]),
      readShare: random.pick([0.3, 0.5, 0.7]),
      invalidChance: random.chance(0.3) ? 0.1 : 0,
      deafChance: random.chance(0.2) ? 0.1 : 0,
      goodbye: random.pick(["patient", "patient", "patient", "polite", "half-close", "abrupt", "rude"]),
      auditor: false,
    });
  }
  return clients;
}

/** Comes when everything is over and reads what is there. */
export const AUDITOR: ClientScript = {
  name: "auditor",
  startMs: 0,
  handshake: "go",
  eager: false,
  requests: 0,
  inFlightMax: 4,
  thinkMaxMs: 0.1,
  largestBlocks: 1,
  readShare: 1,
  invalidChance: 0,
  deafChance: 0,
  goodbye: "patient",
  auditor: true,
};
