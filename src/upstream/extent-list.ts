import { LIMITS } from "../limits.ts";
import { COMMAND_FLAG } from "../protocol/constants.ts";

/** The BLOCK_STATUS that extents are an answer to. */
export interface StatusRequest {
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
}

/** Room for these at first: most answers are short. */
const FIRST_EXTENTS = 16;

/**
 * The extents of one context in an answer to BLOCK_STATUS, as far as a client may be told them: nothing behind the one that
 * reaches the end of the request, one that ends with the request when it was asked for with REQ_ONE, and at most
 * `LIMITS.statusExtents`.
 */
export class ExtentList {
  readonly #wantsOne: boolean;
  #leftBytes: number;
  #pairs = new Uint32Array(2 * FIRST_EXTENTS);
  #count = 0;

  constructor({ flags, length }: StatusRequest) {
    this.#wantsOne = (flags & COMMAND_FLAG.REQ_ONE) !== 0;
    this.#leftBytes = length;
  }

  /** The next extent, of at least one byte; it is left out when there is no place for it. */
  add(lengthBytes: number, flags: number): void {
    const isFull = this.#count === (this.#wantsOne ? 1 : LIMITS.statusExtents);
    if (isFull || (this.#count > 0 && this.#leftBytes <= 0)) return;
    // A request of no bytes has no end that an extent could be cut to.
    const cut = this.#wantsOne && this.#leftBytes > 0;
    const at = 2 * this.#count;
    if (at === this.#pairs.length) this.#grow();
    this.#pairs[at] = cut ? Math.min(lengthBytes, this.#leftBytes) : lengthBytes;
    this.#pairs[at + 1] = flags;
    this.#count += 1;
    this.#leftBytes -= lengthBytes;
  }

  /** Pairs of length in bytes and flags. */
  get pairs(): Uint32Array {
    return this.#pairs.subarray(0, 2 * this.#count);
  }

  #grow(): void {
    const larger = new Uint32Array(2 * Math.min(this.#pairs.length, LIMITS.statusExtents));
    larger.set(this.#pairs);
    this.#pairs = larger;
  }
}
