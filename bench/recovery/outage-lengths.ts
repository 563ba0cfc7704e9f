import { SeededRandom } from "../../test/simulation/seeded-random.ts";

/** From the shortest to the longest outage. */
export interface OutageRange {
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

const SEED = 1;

/**
 * How long the outages of one run are, in milliseconds: spread evenly over the range, so that every phase of a waiting
 * proxy is met, in a mixed order that is the same in every run and for everybody.
 */
export function outageLengthsMs(count: number, { minSeconds, maxSeconds }: OutageRange): number[] {
  const stepSeconds = count > 1 ? (maxSeconds - minSeconds) / (count - 1) : 0;
  const lengths = Array.from({ length: count }, (_, i) => Math.round((minSeconds + i * stepSeconds) * 1000));
  return new SeededRandom(SEED).shuffled(lengths);
}
