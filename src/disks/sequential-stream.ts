/** A window grows to this by itself: with every byte that is read, one more is fetched ahead. */
const EAGER_WINDOW_BYTES = 1024 * 1024;
/** … and to this when the reader still has to wait. More would only queue in front of everybody else's requests. */
const LARGEST_WINDOW_BYTES = 8 * 1024 * 1024;

/** A reader that goes forward, one read after the other: where it is, and how far ahead of it was fetched. */
export class SequentialStream {
  /** Where the next read is expected. */
  nextOffset: number;
  /** Up to here was fetched, or asked for; never before `nextOffset`. */
  aheadOffset: number;
  /** The length of the last read. */
  lengthBytes: number;
  /** The number of the last read among all reads of the disk. */
  lastRead: number;
  /** A second read followed the first; until then the stream is a guess. */
  proven: boolean;
  /** The stream was given up: nothing more is fetched for it. */
  forgotten = false;
  /** Memory that is held for it, in bytes. */
  heldBytes = 0;
  /** Where trust began: behind the last failure, or where the stream did. */
  #startOffset: number;
  #limitBytes = EAGER_WINDOW_BYTES;

  /** The stream begins with a read of [offset, offset + length). */
  constructor(offset: number, length: number, readNumber: number, proven: boolean) {
    this.#startOffset = offset;
    this.nextOffset = offset + length;
    this.aheadOffset = this.nextOffset;
    this.lengthBytes = length;
    this.lastRead = readNumber;
    this.proven = proven;
  }

  /** How much it has read in a row since trust began. */
  get trustedBytes(): number {
    return Math.max(0, this.nextOffset - this.#startOffset);
  }

  /**
   * How far ahead of the reader to fetch: as much as it has read in a row, so that what was fetched in vain when it turns
   * away is never more than what it used.
   */
  get windowBytes(): number {
    return Math.min(this.trustedBytes, this.#limitBytes);
  }

  /** The read at `nextOffset` came. */
  advance(length: number, readNumber: number): void {
    this.lengthBytes = length;
    this.lastRead = readNumber;
    this.skipTo(this.nextOffset + length);
  }

  /** What lies before `offset` was read already, out of order. */
  skipTo(offset: number): void {
    this.nextOffset = offset;
    this.aheadOffset = Math.max(this.aheadOffset, offset);
  }

  /** The reader has caught up with what was asked for. */
  waited(): void {
    if (this.windowBytes === this.#limitBytes) this.#limitBytes = Math.min(this.#limitBytes * 2, LARGEST_WINDOW_BYTES);
  }

  /** Nothing can be fetched before `offset`; behind it, the stream begins anew. */
  distrust(offset: number): void {
    this.#startOffset = Math.max(offset, this.#startOffset);
  }

  /** What was fetched is gone: for want of memory, so that the stream begins anew. */
  restart(): void {
    this.#startOffset = Math.max(this.#startOffset, this.nextOffset);
    this.#limitBytes = EAGER_WINDOW_BYTES;
    this.refetch();
  }

  /** What was fetched is gone, through no fault of the reader. */
  refetch(): void {
    this.aheadOffset = this.nextOffset;
  }
}
