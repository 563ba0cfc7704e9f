import { COMMAND, COMMAND_FLAG, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import { isWriteLike } from "../protocol/is-write-like.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";
import type { DiskRequest } from "../disk.ts";

/** One request of a stand-in, without who asked for it. */
export type StandInStep = Omit<DiskRequest, "complete">;

const ZEROS = new Slab(Buffer.alloc(1024 * 1024));

/**
 * What to send in place of a request that a restarted server no longer understands, one after the other: undefined when
 * it does understand it, nothing at all when there is nothing to do. Zeros are written out, and hints are dropped.
 *
 * FUA is dropped as well: see `needsFlush`.
 */
export function standInSteps(request: StandInStep, offeredFlags: number): Iterable<StandInStep> | undefined {
  const { command, flags } = request;
  const offers = (flag: number): boolean => (offeredFlags & flag) !== 0;
  const gone =
    (offers(TRANSMISSION_FLAG.SEND_FUA) ? 0 : COMMAND_FLAG.FUA) |
    (offers(TRANSMISSION_FLAG.SEND_FAST_ZERO) ? 0 : COMMAND_FLAG.FAST_ZERO);
  if (command === COMMAND.TRIM && !offers(TRANSMISSION_FLAG.SEND_TRIM)) return [];
  if (command === COMMAND.CACHE && !offers(TRANSMISSION_FLAG.SEND_CACHE)) return [];
  if (command === COMMAND.WRITE_ZEROES && !offers(TRANSMISSION_FLAG.SEND_WRITE_ZEROES)) {
    return writtenZeros(request, flags & COMMAND_FLAG.FUA & ~gone);
  }
  return (flags & gone) === 0 ? undefined : [withFlags(request, flags & ~gone)];
}

/** Whether a request has to be followed by a FLUSH, because the server does not do FUA any more. */
export function needsFlush(command: number, flags: number, offeredFlags: number): boolean {
  const offers = (flag: number): boolean => (offeredFlags & flag) !== 0;
  const fuaIsGone = (flags & COMMAND_FLAG.FUA) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FUA);
  return isWriteLike(command) && fuaIsGone && offers(TRANSMISSION_FLAG.SEND_FLUSH);
}

function* writtenZeros(request: StandInStep, flags: number): Generator<StandInStep> {
  const end = request.offset + request.length;
  for (let offset = request.offset; offset < end; offset += ZEROS.buffer.length) {
    const length = Math.min(ZEROS.buffer.length, end - offset);
    const payload = [new Slice(ZEROS, 0, length, 0)];
    yield { command: COMMAND.WRITE, flags, offset, length, payload, room: undefined };
  }
}

/** The request with other flags; its payload keeps its headroom, which is written anew for every sending. */
function withFlags(request: StandInStep, flags: number): StandInStep {
  const { command, offset, length, payload } = request;
  return { command, flags, offset, length, payload, room: undefined };
}
