import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Network } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { ByteBudget } from "../transport/byte-budget.ts";
import { SlabPool } from "../transport/slab-pool.ts";

/** The world that a proxy or an embedded server lives in; a simulation makes its own. */
export interface Surroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Memory for one export: the slabs that its messages share, and how many bytes may be held. */
export function exportMemory(budgetBytes: number = LIMITS.budgetBytes): {
  readonly pool: SlabPool;
  readonly budget: ByteBudget;
} {
  return {
    pool: new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: LIMITS.idleSlabs }),
    budget: new ByteBudget(budgetBytes, LIMITS.budgetRequests),
  };
}
