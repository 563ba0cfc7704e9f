/** The way to a slow server: nbdkit with filters that make it so. */
export interface Link {
  /** Unique. */
  readonly name: string;
  /** The nearest to the client first. */
  readonly filters: readonly string[];
  readonly parameters: readonly string[];
}

const DELAY_MS = 5;
const RATE_MIB_PER_SECOND = 50;
const RATE_BITS_PER_SECOND = RATE_MIB_PER_SECOND * 1024 * 1024 * 8;

const DELAY = [`rdelay=${DELAY_MS}ms`];
// By default the first 2 s after a rest are free, which is longer than a measurement.
const RATE = [`rate=${RATE_BITS_PER_SECOND}`, "burstiness=0.02"];

/** Distance, a narrow line, and both. */
export const LINKS: readonly Link[] = [
  { name: "5ms", filters: ["delay"], parameters: DELAY },
  { name: "50mib", filters: ["rate"], parameters: RATE },
  {
    name: "both",
    filters: ["rate", "delay"],
    parameters: [...DELAY, ...RATE],
  },
];
