import type { SequentialStream } from "./sequential-stream.ts";

/** Up to this much memory, reads are doubled before anything is known about their reader, as the original does. */
const SMALL_CACHE_BYTES = 64 * 1024;
/** One fetch: enough to make a slow link busy, and soon copied. */
const LARGEST_FETCH_BYTES = 1024 * 1024;

/** What bounds every fetch. */
export interface ReadAheadBounds {
  /** Memory for everything that is fetched ahead. */
  readonly cacheBytes: number;
  /** The end of what can be read: the size of the disk, in whole blocks. */
  readonly endOffset: number;
  readonly maximumPayloadBytes: number;
}

/**
 * Whether a read is doubled although nothing is known about its reader. With little memory it is, as the manual has it, as
 * long as that pays (see StreamDetector.guess); with much, the second read of a stream is early enough.
 */
export function guesses({ cacheBytes }: ReadAheadBounds): boolean {
  return cacheBytes <= SMALL_CACHE_BYTES;
}

/**
 * How many bytes behind the stream's last read to fetch with it, in one request: as many again, unless there are fewer or
 * they were fetched already.
 */
export function alongBytes(stream: SequentialStream, bounds: ReadAheadBounds): number {
  const { lengthBytes, nextOffset } = stream;
  if (stream.aheadOffset > nextOffset || stream.windowBytes < lengthBytes || lengthBytes > bounds.cacheBytes) return 0;
  // Half of the next read would be of no use: it would have to be read whole anyway.
  const bytes = Math.min(lengthBytes, bounds.endOffset - nextOffset);
  return lengthBytes + bytes <= bounds.maximumPayloadBytes ? bytes : 0;
}

/**
 * How many bytes to fetch next ahead of the stream, in a request of their own; 0 when enough is there or on its way.
 * `shareBytes` is the stream's share of the memory.
 */
export function fetchBytes(stream: SequentialStream, shareBytes: number, bounds: ReadAheadBounds): number {
  const { lengthBytes, nextOffset, aheadOffset, heldBytes } = stream;
  // With room for one read alone, doubling is better: fetching it when the last one was used comes too late.
  if (shareBytes < 2 * lengthBytes) return 0;
  const windowBytes = Math.min(stream.windowBytes, shareBytes);
  const roomBytes = Math.min(windowBytes - (aheadOffset - nextOffset), shareBytes - heldBytes);
  // Two fetches to a window at least, or the reader would wait for each.
  const wholeBytes = Math.max(lengthBytes, Math.min(LARGEST_FETCH_BYTES, bounds.maximumPayloadBytes, shareBytes / 2));
  const leastBytes = Math.max(lengthBytes, Math.min(windowBytes / 2, wholeBytes));
  const leftBytes = bounds.endOffset - aheadOffset;
  if (roomBytes < Math.min(leastBytes, leftBytes)) return 0;
  const reads = Math.floor(Math.min(roomBytes, wholeBytes) / lengthBytes);
  return Math.min(Math.max(1, reads) * lengthBytes, leftBytes);
}
