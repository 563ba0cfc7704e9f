import { COMMAND, COMMAND_FLAG, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import { isWriteLike } from "../protocol/is-write-like.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";
import type { DiskRequest } from "../disk.ts";

/** What a server offers, as far as it matters here; the words are those of its geometry. */
export interface Offer {
  readonly flags: number;
  readonly maximumPayloadBytes: number;
}

/** One request of a stand-in, without who asked for it. */
export type StandInStep = Omit<DiskRequest, "complete">;

/** Written at a time, unless the server takes less. */
const ZEROS = new Slab(Buffer.alloc(1024 * 1024));

/**
 * What to send in place of a request that a restarted server no longer understands, one after the other: undefined when
 * it does understand it, nothing at all when there is nothing to do. Zeros are written out, and hints are dropped.
 *
 * FUA is dropped as well: see `needsFlush`.
 */
export function standInSteps(request: StandInStep, offer: Offer): Iterable<StandInStep> | undefined {
  const { command, flags } = request;
  const offers = (flag: number): boolean => (offer.flags & flag) !== 0;
  const gone =
    (offers(TRANSMISSION_FLAG.SEND_FUA) ? 0 : COMMAND_FLAG.FUA) |
    (offers(TRANSMISSION_FLAG.SEND_FAST_ZERO) ? 0 : COMMAND_FLAG.FAST_ZERO) |
    (offers(TRANSMISSION_FLAG.SEND_DF) ? 0 : COMMAND_FLAG.DF);
  if (command === COMMAND.TRIM && !offers(TRANSMISSION_FLAG.SEND_TRIM)) return [];
  if (command === COMMAND.CACHE && !offers(TRANSMISSION_FLAG.SEND_CACHE)) return [];
  if (command === COMMAND.WRITE_ZEROES && !offers(TRANSMISSION_FLAG.SEND_WRITE_ZEROES)) {
    const stepBytes = Math.min(ZEROS.buffer.length, offer.maximumPayloadBytes);
    return writtenZeros(request, flags & COMMAND_FLAG.FUA & ~gone, stepBytes);
  }
  return (flags & gone) === 0 ? undefined : [withFlags(request, flags & ~gone)];
}

/** Whether a request has to be followed by a FLUSH, because the server does not do FUA any more. */
export function needsFlush(command: number, flags: number, offeredFlags: number): boolean {
  const offers = (flag: number): boolean => (offeredFlags & flag) !== 0;
  const fuaIsGone = (flags & COMMAND_FLAG.FUA) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FUA);
  return isWriteLike(command) && fuaIsGone && offers(TRANSMISSION_FLAG.SEND_FLUSH);
}

function* writtenZeros(request: StandInStep, flags: number, stepBytes: number): Generator<StandInStep> {
  const end = request.offset + request.length;
  for (let offset = request.offset; offset < end; offset += stepBytes) {
    const length = Math.min(stepBytes, end - offset);
    const payload = [new Slice(ZEROS, 0, length, 0)];
    yield { command: COMMAND.WRITE, flags, offset, length, payload, room: undefined };
  }
}

/** The request with other flags; its payload keeps its headroom, which is written anew for every sending. */
function withFlags(request: StandInStep, flags: number): StandInStep {
  const { command, offset, length, payload } = request;
  return { command, flags, offset, length, payload, room: undefined };
}
