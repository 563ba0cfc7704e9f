import { SeededRandom } from "../test/simulation/seeded-random.ts";
import { BLOCK_BYTES } from "./block-tag.ts";
import type { Fault } from "./fault.ts";
import type { Choices, FaultWeights } from "./fault-table.ts";
import type { MixSettings } from "./operation-mix.ts";
import type { ServerName } from "./server-name.ts";

const MIB = 1024 * 1024;
const DISK_MIB = [8, 16, 32, 64];
const HOT_MIB = [0.5, 1, 2, 4];
/** How often fio is the client where it can be. */
const FIO_SHARE = 0.1;
/** How many strikes come before the server has recovered from the one before. */
const DOUBLE_STRIKE_SHARE = 0.15;

/** One fault that is to strike. */
export interface StrikePlan {
  readonly fault: Fault;
  /** After the one before is over. */
  readonly afterMs: number;
  /** How long the server is away, stands still, has no space and so on. */
  readonly lastsMs: number;
  /** In [0, 1): which variant of the fault it is, where there are several. */
  readonly variant: number;
}

/** Who uses the disk. */
export type LoadPlan =
  | { readonly kind: "fio"; readonly fsyncEvery: number }
  | {
      readonly kind: "checker";
      readonly clients: number;
      /** Operations in flight, per client. */
      readonly depth: number;
      readonly mix: MixSettings;
      /** Read the whole disk after each fault, with nothing else in flight, and not only at the end. */
      readonly readBackAfterEach: boolean;
    };

/** How the proxy is run; its defaults where undefined. */
export interface ProxyPlan {
  readonly upstreamTimeoutS: number | undefined;
  readonly pinS: number | undefined;
  /** Memory for reading ahead. */
  readonly cacheMib: number | undefined;
}

/** All that is to happen from a start of the server to the look at its file, but for the exact moments. */
export interface CyclePlan {
  readonly seed: number;
  readonly server: ServerName;
  readonly sizeBytes: number;
  /** Begin with zeros, and not with what the cycle before has left. */
  readonly isFresh: boolean;
  readonly load: LoadPlan;
  readonly proxy: ProxyPlan;
  readonly strikes: readonly StrikePlan[];
}

/** Makes the plan that belongs to a seed and some choices. A control reads back after each fault, without fio. */
export function planCycle(seed: number, choices: Choices, isControl: boolean): CyclePlan {
  const random = new SeededRandom(seed);
  const { server, faults } = pickWeighted(
    random,
    choices.servers.map((one) => [one, one.weight] as const),
  );
  const sizeMib = random.pick(DISK_MIB);
  const load: LoadPlan =
    choices.fio && !isControl && entriesOf(faults).some(isForFio) && random.chance(FIO_SHARE)
      ? { kind: "fio", fsyncEvery: random.pick([0, 32, 256]) }
      : planChecker(random, sizeMib, isControl);
  return {
    seed,
    server,
    sizeBytes: sizeMib * MIB,
    isFresh: random.chance(0.5),
    load,
    proxy: {
      upstreamTimeoutS: random.chance(0.4) ? 1 : undefined,
      // Longer than anything here keeps the server from carrying out what it has read, and short enough to end.
      pinS: random.chance(0.5) ? 4 : undefined,
      cacheMib: random.chance(0.25) ? 4 : undefined,
    },
    strikes: planStrikes(random, faults, load.kind),
  };
}

function planChecker(random: SeededRandom, sizeMib: number, isControl: boolean): LoadPlan {
  const diskBlocks = (sizeMib * MIB) / BLOCK_BYTES;
  const hotBlocks = (random.pick(HOT_MIB) * MIB) / BLOCK_BYTES;
  return {
    kind: "checker",
    clients: random.pick([1, 1, 2, 3]),
    depth: random.pick([1, 4, 8, 16, 16]),
    mix: {
      hotFirstBlock: random.integer(diskBlocks - hotBlocks + 1),
      hotBlocks,
      hotShare: random.between(0.7, 1),
      readShare: random.between(0.2, 0.6),
      zeroesShare: random.pick([0.01, 0.05, 0.15]),
      trimShare: random.pick([0, 0.002, 0.01]),
      flushShare: random.pick([0.001, 0.005, 0.02]),
      fuaShare: random.pick([0, 0.02, 0.2]),
    },
    readBackAfterEach: isControl || random.chance(0.5),
  };
}

/** fio tells what it did only at the end: one kind of fault for all of it. */
function planStrikes(random: SeededRandom, faults: FaultWeights, load: LoadPlan["kind"]): StrikePlan[] {
  const weights = entriesOf(faults);
  const only = load === "fio" ? pickWeighted(random, weights.filter(isForFio)) : undefined;
  return Array.from({ length: 4 + random.integer(5) }, () => {
    const fault = only ?? pickWeighted(random, weights);
    const isDouble = random.chance(DOUBLE_STRIKE_SHARE);
    return {
      fault,
      afterMs: Math.round(isDouble ? random.between(0, 60) : random.between(300, 1000)),
      lastsMs: Math.round(lastsMs(random, fault)),
      variant: random.next(),
    };
  });
}

function lastsMs(random: SeededRandom, fault: Fault): number {
  switch (fault) {
    case "power-loss":
    case "kill":
      // Most restarts are quick.
      return 2000 * random.next() ** 2;
    case "stop":
      return random.between(100, 3000);
    case "drop":
      return random.between(1000, 3000);
    case "enospc":
    case "other-size":
      return random.between(200, 1500);
    case "reset":
      return 0;
  }
}

/** fio takes an error for the end. And between its runs nobody uses the disk, which may have another size then. */
function isForFio([fault]: readonly [Fault, number]): boolean {
  return fault !== "enospc" && fault !== "other-size";
}

function entriesOf(faults: FaultWeights): (readonly [Fault, number])[] {
  return Object.entries(faults) as [Fault, number][];
}

function pickWeighted<Choice>(random: SeededRandom, choices: readonly (readonly [Choice, number])[]): Choice {
  let left = random.next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  const found = choices.find(([, weight]) => (left -= weight) < 0) ?? choices.at(-1);
  if (found === undefined) throw new Error("there is nothing to choose from");
  return found[0];
}
