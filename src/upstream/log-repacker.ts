import type { Fragment, WriteLog } from "../durability/write-log.ts";
import { LIMITS } from "../limits.ts";
import type { Slab } from "../transport/slab.ts";
import type { Slice } from "../transport/slice.ts";
import type { KeptContent, LogMemory } from "./log-memory.ts";

/** Where much has been overwritten or flushed, small remains hold on to whole slabs: copies them together. */
export class LogRepacker {
  readonly #log: WriteLog<KeptContent>;
  readonly #memory: LogMemory;
  readonly #slabBytes: number;
  /** With less in the log's memory than this there is no point in looking again. */
  #nextLookBytes = 0;

  constructor(log: WriteLog<KeptContent>, memory: LogMemory, slabBytes: number) {
    this.#log = log;
    this.#memory = memory;
    this.#slabBytes = slabBytes;
  }

  /** To be called whenever the log has changed. */
  changed(): void {
    const { heldBytes } = this.#memory;
    if (heldBytes < LIMITS.logRepackBytes) this.#nextLookBytes = 0;
    else if (heldBytes >= this.#nextLookBytes && heldBytes >= 4 * this.#log.contentBytes) this.#repack(heldBytes);
  }

  #repack(heldBytes: number): void {
    const loose = this.#looseSlabs();
    if (loose.size * this.#slabBytes < LIMITS.logRepackBytes / 2) {
      this.#nextLookBytes = heldBytes + LIMITS.logRepackBytes;
      return;
    }
    this.#log.repack((fragment) => {
      const lengthBytes = fragment.end - fragment.start;
      const payload = lengthBytes > this.#slabBytes / 4 ? [] : slicesOf(fragment);
      return payload.some(({ slab }) => loose.has(slab)) ? this.#memory.copy(payload, lengthBytes) : undefined;
    });
  }

  /**
   * Those that only the log needs, and at most half of each. What a client's next requests are read into is no burden: with
   * many clients there are many of those, and copying would free none of them.
   */
  #looseSlabs(): Set<Slab> {
    const neededBytes = new Map<Slab, number>();
    for (const fragment of this.#log.all()) {
      for (const { slab, length } of slicesOf(fragment)) neededBytes.set(slab, (neededBytes.get(slab) ?? 0) + length);
    }
    const loose = new Set<Slab>();
    for (const [slab, bytes] of neededBytes) if (bytes <= this.#slabBytes / 2 && slab.references === 1) loose.add(slab);
    return loose;
  }
}

/** Where the bytes of a fragment are; nowhere, when it has none. */
function slicesOf({ content, contentStart, start, end }: Fragment<KeptContent>): Slice[] {
  const payload: Slice[] = [];
  content?.appendTo(payload, contentStart, contentStart + end - start);
  return payload;
}
