import type { Handshake } from "../contender.ts";

/** One way to run ours, which differs from the defaults in one thing. */
export interface SafetyFeature {
  /** Unique. */
  readonly name: string;
  /** What differs, and how that is brought about. */
  readonly about: string;
  readonly options: readonly string[];
  readonly handshake: Handshake;
}

/** The name of running it without any option, which all others are compared with. */
export const DEFAULTS = "defaults";

/**
 * Everything that costs something while nothing goes wrong. What waits for an outage (pins, the fence, the hold limit) or
 * for idleness (the ping) has no work to do here.
 */
export const SAFETY_FEATURES: readonly SafetyFeature[] = [
  {
    name: DEFAULTS,
    about: "write log on, no read-ahead, structured replies on both sides",
    options: [],
    handshake: "newstyle",
  },
  {
    name: "no write log",
    about: "--unflushed=off: unflushed writes are not protected",
    options: ["--unflushed=off"],
    handshake: "newstyle",
  },
  {
    name: "FUA, no log",
    about: "--unflushed=fua: the server stores each write before it answers; to a server in memory that is no work",
    options: ["--unflushed=fua"],
    handshake: "newstyle",
  },
  {
    name: "read-ahead",
    about: "--cache=64M: reads ahead of a client that reads in sequence",
    options: ["--cache=64M"],
    handshake: "newstyle",
  },
  {
    name: "simple to client",
    about: "--handshake=oldstyle: structured replies from the server, simple ones to the client",
    options: ["--handshake=oldstyle"],
    handshake: "newstyle",
  },
  {
    name: "simple replies",
    about:
      "the same behind nbdkit --no-sr: simple replies on both sides. Compare with direct, simple: the server's part",
    options: ["--handshake=oldstyle"],
    handshake: "newstyle-simple",
  },
];
