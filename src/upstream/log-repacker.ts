import type { Fragment, WriteLog } from "../durability/write-log.ts";
import { LIMITS } from "../limits.ts";
import type { Slab } from "../transport/slab.ts";
import type { Slice } from "../transport/slice.ts";
import type { KeptContent, LogMemory } from "./log-memory.ts";

/** What a LogRepacker works with. */
export interface LogRepackerOptions {
  readonly log: WriteLog<KeptContent>;
  readonly memory: LogMemory;
  readonly slabBytes: number;
  /** What the log and the requests under way may hold together. */
  readonly limitBytes: number;
}

/** Where much has been overwritten or flushed, small remains hold on to whole slabs: copies them together. */
export class LogRepacker {
  readonly #options: LogRepackerOptions;
  /** With less in the log's memory than this there is no point in looking again. */
  #nextLookBytes = 0;

  constructor(options: LogRepackerOptions) {
    this.#options = options;
  }

  /** A write has come into the log. */
  changed(): void {
    const { log, memory } = this.#options;
    const { heldBytes } = memory;
    if (heldBytes < LIMITS.logRepackBytes || heldBytes < this.#nextLookBytes || heldBytes < 4 * log.contentBytes)
      return;
    this.#repack(heldBytes);
    this.#nextLookBytes = memory.heldBytes + LIMITS.logRepackBytes;
  }

  /** Much has left the log at once. */
  trimmed(): void {
    this.#nextLookBytes = 0;
    this.changed();
  }

  #repack(heldBytes: number): void {
    const { log, memory, slabBytes, limitBytes } = this.#options;
    const loose = this.#looseSlabs();
    // A slab that a client's next requests are read into is no burden, and copying would not free it. With very many clients
    // there are so many of those that the log would have no room for anything else, and a FLUSH at half of the limit makes none.
    const isUrgent = heldBytes >= (limitBytes * 3) / 8;
    const isWanted = (slab: Slab): boolean => slab.references === 1 || (isUrgent && !memory.isFilling(slab));
    const wanted = new Set(loose.filter(isWanted));
    if (wanted.size * slabBytes < LIMITS.logRepackBytes / 2) return;
    log.repack((fragment) => {
      const payload = slicesOf(fragment);
      return payload.some(({ slab }) => wanted.has(slab)) ? memory.copy(payload, lengthOf(fragment)) : undefined;
    });
  }

  /** Those of which at most half is needed, in parts short enough to be copied. */
  #looseSlabs(): Slab[] {
    const { log, slabBytes } = this.#options;
    const neededBytes = new Map<Slab, number>();
    for (const fragment of log.all()) {
      const stays = lengthOf(fragment) > slabBytes / 4;
      for (const { slab, length } of slicesOf(fragment)) {
        neededBytes.set(slab, (neededBytes.get(slab) ?? 0) + (stays ? slabBytes : length));
      }
    }
    return [...neededBytes].filter(([, bytes]) => bytes <= slabBytes / 2).map(([slab]) => slab);
  }
}

function lengthOf({ start, end }: Fragment<KeptContent>): number {
  return end - start;
}

/** Where the bytes of a fragment are; nowhere, when it has none. */
function slicesOf({ content, contentStart, start, end }: Fragment<KeptContent>): Slice[] {
  const payload: Slice[] = [];
  content?.appendTo(payload, contentStart, contentStart + end - start);
  return payload;
}
