import { HARD_WORLDS } from "./hard-worlds.ts";
import type { ClientScript } from "./simulated-client.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerCharacter } from "./server-character.ts";
import type { LinkWeather } from "./simulated-stream.ts";
import { LARGE_PAYLOAD_BYTES, SIMPLE_TONGUE, withTongues } from "./structured-traits.ts";

/** The faults that may come over a history, and how likely each is among them. What ends a history early is rarer. */
const FAULTS = {
  "cut-server": 0.5,
  crash: 0.5,
  "shut-down": 0.3,
  "freeze-server": 0.3,
  "cut-client": 0.15,
  "freeze-client": 0.3,
  "hang-server": 0.15,
} as const;

/** One kind of fault. */
export type Fault = keyof typeof FAULTS;

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
  /** How the proxy protects writes. */
  readonly unflushed: "log" | "fua" | "off";
  readonly pinMs: number;
  readonly lingerMs: number;
  readonly fence: "none" | "strict";
  readonly shared: boolean;
  readonly clients: readonly ClientScript[];
  readonly weather: LinkWeather;
  readonly character: ServerCharacter;
  readonly faults: readonly Fault[];
  readonly faultIntervalMs: number;
  /** How likely a request brings a fault on while it is at the server. */
  readonly ambushChance: number;
  /** When the faults stop. */
  readonly calmAtMs: number;
  /** The proxy is stopped in the middle of it all instead of at the end. */
  readonly stopAtMs: number | undefined;
}

/** They take several times as long as the others. */
const HARD_SHARE = 0.08;

/** Longer than any outage: who discards what was acknowledged breaks no promise after that. */
const LINGER_MS = 3_600_000;

/** The room that a read must find in a slab, which a slab in turn has to exceed by the longest unfinished message. */
const READ_ROOM_BYTES = 8 * 1024;

/** Draws a scenario. Some are as hard as they can be in one way; most have a bit of this and that. */
export function drawScenario(random: SeededRandom): Scenario {
  const scenario = withTongues(drawMixed(random), random.fork());
  return random.chance(HARD_SHARE) ? random.pick(Object.values(HARD_WORLDS))(scenario) : scenario;
}

/**
 * Each kind of trouble is absent from many histories, so that none hides behind another, and a few blocks are shared by
 * everybody, so that much overlaps.
 */
function drawMixed(random: SeededRandom): Scenario {
  const mostly = <Value>(usual: Value, ...others: readonly Value[]): Value =>
    random.chance(0.6) ? usual : random.pick(others);
  const blocks = 1 + random.integer(random.pick([2, 4, 8]));
  const blockBytes = random.pick([16, 16, 64, 512]);
  const diskBytes = blocks * blockBytes;
  const losesCache = random.chance(0.8);
  const protection = drawProtection(random, losesCache);
  const holdTimeoutMs = random.chance(0.1) ? random.between(50, 2000) : undefined;
  const errorChance = mostly(0, 0, 0.02, 0.2);
  const strict = protection.fence === "strict";
  const faults = (Object.keys(FAULTS) as Fault[]).filter((fault) => random.chance(FAULTS[fault]));
  const stopAtMs = random.chance(0.08) ? random.between(1, 100) : undefined;
  return {
    blocks,
    blockBytes,
    slabBytes: READ_ROOM_BYTES + random.pick([256, 512, 1024, 4096]),
    idleSlabs: random.pick([0, 4, 32]),
    // Never less than two of the largest requests.
    budgetBytes: mostly(1 << 27, 2 * diskBytes, 3 * diskBytes, 10 * diskBytes),
    budgetRequests: random.chance(0.8) ? 16_384 : random.pick([1, 2, 5]),
    maxClients: random.pick([1, 2, 4]),
    holdTimeoutMs,
    upstreamTimeoutMs: mostly(30_000, 6000),
    idlePingMs: random.chance(0.2) ? random.between(1000, 5000) : undefined,
    unflushed: protection.unflushed,
    pinMs: protection.pinMs,
    lingerMs: LINGER_MS,
    fence: protection.fence,
    shared: protection.shared,
    clients: drawClients(random, blocks),
    weather: {
      latencyMinMs: 0,
      latencyMaxMs: random.pick([0.1, 0.5, 2]),
      cutChance: mostly(0, 0.05, 0.3, 0.8),
      shortReadChance: mostly(0, 0.05, 0.3),
      // Much less than a payload, but not so little that nothing else would happen than its arrival.
      windowBytes: mostly(1 << 20, 3 * blockBytes, 500, 5000),
    },
    character: {
      serveMaxMs: random.pick([0.05, 1, 5]),
      lingerChance: random.pick([0, 0.1, 0.4]),
      piecesChance: mostly(0, 0.2),
      errorChance,
      // Who may be told that a write failed is not owed that it is made whole.
      tearsBlocks: errorChance === 0 && holdTimeoutMs === undefined && !protection.shared,
      badMannersChance: strict ? 0 : mostly(0, 0.3, 0.7),
      poorerChance: mostly(0, 0.5),
      exportNameOnlyChance: mostly(0, 0.5, 1),
      structured: false,
      contexts: [],
      offersDf: false,
      forgetfulChance: 0,
      maximumPayloadBytes: LARGE_PAYLOAD_BYTES,
      loseWriteChance: 0,
      gapChance: 0,
      jealousChance: strict ? 0 : random.pick([0, 0, 0.5, 1]),
      takesOver: protection.lateMs === undefined ? !strict : random.chance(0.2),
      lateMs: protection.lateMs,
      endsProperly: strict,
      losesCache,
      flushFailChance: mostly(0, 0.05, 0.3),
    },
    faults: strict ? faults.filter((fault) => ORDERLY.has(fault)) : faults,
    faultIntervalMs: random.pick([10, 50, 200, 1000]),
    ambushChance: random.pick([0, 0.05, 0.15, 0.4]),
    calmAtMs: random.pick([50, 300, 1000, 3000]),
    stopAtMs,
  };
}

/** Faults after which the server can still end its connections in good order. */
const ORDERLY: ReadonlySet<Fault> = new Set(["crash", "shut-down", "freeze-server", "cut-client", "freeze-client"]);

/** How the proxy protects writes, and how late the server carries them out, which has to go together. */
function drawProtection(
  random: SeededRandom,
  losesCache: boolean,
): Pick<Scenario, "unflushed" | "pinMs" | "fence" | "shared"> & Pick<ServerCharacter, "lateMs"> {
  const [shortestMs, longestMs] = random.pick([[20, 100] as const, [100, 500] as const, [500, 3000] as const]);
  const drawnPinMs = random.between(shortestMs, longestMs);
  const late = random.chance(0.5);
  // A pin holds until the proxy's clock says so, and the server's late requests end just before.
  const lateMs = late ? random.between(1, 0.95 * random.pick([drawnPinMs, Math.min(drawnPinMs, 100)])) : undefined;
  const shared = !losesCache && !late && random.chance(0.1);
  const pinMs = shared ? 0 : drawnPinMs;
  const mayBeOff = !losesCache && !late && random.chance(0.2);
  const unflushed = shared || mayBeOff ? "off" : random.pick(["log", "log", "log", "log", "fua"] as const);
  const fence = !late && !shared && random.chance(0.08) ? "strict" : "none";
  return { unflushed, pinMs, fence, shared, lateMs };
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
      requests: 1 + random.integer(random.pick([5, 15, 30, 60])),
      inFlightMax: random.pick([1, 2, 4, 8, 16]),
      thinkMaxMs: random.pick([0, 0.5, 3, 10, 50]),
      largestBlocks: random.pick([1, 2, 3, blocks]),
      readShare: random.pick([0.3, 0.5, 0.7]),
      flushShare: random.pick([0.05, 0.15, 0.3]),
      fuaChance: random.pick([0, 0.15, 0.4]),
      invalidChance: random.chance(0.3) ? 0.1 : 0,
      deafChance: random.chance(0.2) ? 0.1 : 0,
      goodbye: random.pick(["patient", "patient", "patient", "polite", "half-close", "abrupt", "rude"]),
      auditor: false,
      tongue: SIMPLE_TONGUE,
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
  flushShare: 0,
  fuaChance: 0.15,
  invalidChance: 0,
  deafChance: 0,
  goodbye: "patient",
  auditor: true,
  tongue: SIMPLE_TONGUE,
};
