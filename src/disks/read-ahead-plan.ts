import type { SequentialStream } from "./sequential-stream.ts";

/** Up to this much memory, reads are doubled before anything is known about their reader, as the original does. */
const SMALL_CACHE_BYTES = 64 * 1024;
/** One fetch: enough to make a slow link busy, and soon copied. */
const LARGEST_FETCH_BYTES = 1024 * 1024;
/**
 * Who is trusted is read ahead of by this part of what it has read in a row, up to so much, however near the disk is: as good
 * as nothing is in vain, and the link does not rest while the reader does.
 */
const TRUSTED_PART = 1 / 32;
const TRUSTED_REACH_BYTES = 256 * 1024;

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
 * How far ahead one of so many streams may fetch. `distanceBytes` arrive in the time that a read costs whatever its length: what
 * is asked for beyond it only waits for its turn. It is twice that, since a fetch takes up to half of it, and the next one must
 * be on its way before. With little memory the manual's word stands.
 */
export function streamReachBytes(distanceBytes: number, streams: number, bounds: ReadAheadBounds): number {
  return guesses(bounds) ? Infinity : (2 * distanceBytes) / streams;
}

/**
 * How many bytes behind the stream's last read to fetch with it, in one request: as many again, unless there are fewer or
 * they were fetched already. `reachBytes` is how far ahead it may fetch.
 */
export function alongBytes(stream: SequentialStream, reachBytes: number, bounds: ReadAheadBounds): number {
  const { lengthBytes, nextOffset } = stream;
  if (stream.aheadOffset > nextOffset || lengthBytes > bounds.cacheBytes) return 0;
  if (Math.min(stream.windowBytes, reachBytes) < lengthBytes) return 0;
  // Half of the next read would be of no use: it would have to be read whole anyway.
  const bytes = Math.min(lengthBytes, bounds.endOffset - nextOffset);
  return lengthBytes + bytes <= bounds.maximumPayloadBytes ? bytes : 0;
}

/**
 * How many bytes to fetch next ahead of the stream, in a request of their own; 0 when enough is there or on its way.
 * `shareBytes` is the stream's share of the memory, `reachBytes` how far ahead it may fetch.
 */
export function fetchBytes(
  stream: SequentialStream,
  shareBytes: number,
  reachBytes: number,
  bounds: ReadAheadBounds,
): number {
  const { lengthBytes, nextOffset, aheadOffset, heldBytes } = stream;
  // With room for one read alone, doubling is better: fetching it when the last one was used comes too late.
  if (shareBytes < 2 * lengthBytes) return 0;
  const leastReachBytes = Math.min(stream.trustedBytes * TRUSTED_PART, TRUSTED_REACH_BYTES);
  const windowBytes = Math.min(stream.windowBytes, shareBytes, Math.max(reachBytes, leastReachBytes));
  const roomBytes = Math.min(windowBytes - (aheadOffset - nextOffset), shareBytes - heldBytes);
  // Two fetches to a window at least, or the reader would wait for each.
  const wholeBytes = Math.max(lengthBytes, Math.min(LARGEST_FETCH_BYTES, bounds.maximumPayloadBytes, shareBytes / 2));
  const leastBytes = Math.max(lengthBytes, Math.min(windowBytes / 2, wholeBytes));
  const leftBytes = bounds.endOffset - aheadOffset;
  if (roomBytes < Math.min(leastBytes, leftBytes)) return 0;
  const reads = Math.floor(Math.min(roomBytes, wholeBytes) / lengthBytes);
  return Math.min(Math.max(1, reads) * lengthBytes, leftBytes);
}
