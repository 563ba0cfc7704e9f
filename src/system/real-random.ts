import type { Random } from "../ports/random.ts";

/** The engine's random numbers: good enough to spread attempts in time, not to keep secrets. */
export class RealRandom implements Random {
  next(): number {
    return Math.random();
  }
}
