import type { SeededRandom } from "../test/simulation/seeded-random.ts";
import * as wire from "../test/simulation/wire.ts";
import type { WantedOperation } from "./operation.ts";

/** 256 KiB. */
const LONGEST_BLOCKS = 512;
/** Half of all places begin at such a multiple, 4 KiB, as most clients do it. */
const ALIGNED_BLOCKS = 8;

/** How a client's operations are mixed; the rest up to 1 are reads and writes. */
export interface MixSettings {
  /** The blocks that most of the operations are about: what is overwritten again and again. */
  readonly hotFirstBlock: number;
  readonly hotBlocks: number;
  /** How many stay there. */
  readonly hotShare: number;
  /** Of reads and writes together. */
  readonly readShare: number;
  readonly zeroesShare: number;
  readonly trimShare: number;
  readonly flushShare: number;
  /** How many of the writes and WRITE_ZEROES have FUA. */
  readonly fuaShare: number;
}

/** Draws operations on a disk of so many blocks, with none that the export does not offer (transmission flags). */
export class OperationMix {
  readonly #random: SeededRandom;
  readonly #settings: MixSettings;
  readonly #diskBlocks: number;
  readonly #offers: number;

  constructor(random: SeededRandom, settings: MixSettings, diskBlocks: number, offers: number) {
    this.#random = random;
    this.#settings = settings;
    this.#diskBlocks = diskBlocks;
    this.#offers = offers;
  }

  next(): WantedOperation {
    const kind = this.#kind();
    if (kind === "flush") return { kind, firstBlock: 0, blocks: 0, fua: false };
    // As many from 1 to 2 blocks as from 256 to 512.
    const blocks = Math.floor(LONGEST_BLOCKS ** this.#random.next());
    const isHot = this.#random.chance(this.#settings.hotShare);
    const first = isHot ? this.#settings.hotFirstBlock : 0;
    const room = Math.max((isHot ? this.#settings.hotBlocks : this.#diskBlocks) - blocks, 0);
    const drawn = first + this.#random.integer(room + 1);
    const aligned = drawn - (drawn % ALIGNED_BLOCKS);
    const firstBlock = this.#random.chance(0.5) && aligned >= first ? aligned : drawn;
    const canFua = (kind === "write" || kind === "zeroes") && this.#has(wire.OFFERS.FUA);
    return { kind, firstBlock, blocks, fua: canFua && this.#random.chance(this.#settings.fuaShare) };
  }

  #kind(): WantedOperation["kind"] {
    const { flushShare, zeroesShare, trimShare, readShare } = this.#settings;
    const drawn = this.#random.next();
    if (drawn < flushShare) return this.#has(wire.OFFERS.FLUSH) ? "flush" : "read";
    if (drawn < flushShare + zeroesShare) return this.#has(wire.OFFERS.ZEROES) ? "zeroes" : "write";
    if (drawn < flushShare + zeroesShare + trimShare) return this.#has(wire.OFFERS.TRIM) ? "trim" : "write";
    return this.#random.chance(readShare) ? "read" : "write";
  }

  #has(offer: number): boolean {
    return (this.#offers & offer) !== 0;
  }
}
