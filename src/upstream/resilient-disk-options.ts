import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { ByteBudget } from "../transport/byte-budget.ts";
import type { ConnectorOptions } from "./connector.ts";
import type { Unflushed } from "./unflushed-log.ts";

/** The server, and what to do while it is away. */
export interface ResilientDiskOptions extends ConnectorOptions {
  readonly random: Random;
  readonly log: Log;
  /** How long requests are held before they are answered EIO; undefined: for ever. */
  readonly holdTimeoutMs: number | undefined;
  /** How long the server may be silent while requests wait before another connection is tried beside it. */
  readonly upstreamTimeoutMs: number;
  /** After how long without a word an idle server is asked for a block; undefined: never. */
  readonly idlePingMs: number | undefined;
  readonly reconnectIntervalMaxMs: number;
  /** What is done for acknowledged writes until they are flushed. */
  readonly unflushed: Unflushed;
  /** What may be held, requests under way and unflushed writes together. */
  readonly budget: ByteBudget;
  /** How long unflushed writes are kept for a server that is away when no user is left. */
  readonly lingerMs: number;
  /** How long ranges are guarded against late requests of lost connections; 0: not at all. */
  readonly pinMs: number;
  /** `strict`: the next connection is used only once the server itself has ended the one before. */
  readonly fence: "none" | "strict";
  /** Others write to the export as well: nothing is kept, and no write is sent a second time. */
  readonly shared: boolean;
}
