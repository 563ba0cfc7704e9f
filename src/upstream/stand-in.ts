import { COMMAND, COMMAND_FLAG, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";
import type { DiskRequest } from "../disk.ts";

/** One request of a stand-in, without who asked for it. */
export type StandInStep = Omit<DiskRequest, "complete">;

const ZEROS = new Slab(Buffer.alloc(1024 * 1024));

/**
 * What to send in place of a request that a restarted server no longer understands, one after the other: undefined when
 * it does understand it, nothing at all when there is nothing to do.
 *
 * FUA becomes a FLUSH behind the write, zeros are written out, and hints are dropped.
 */
export function standInSteps(request: DiskRequest, offeredFlags: number): Iterable<StandInStep> | undefined {
  const { command, flags } = request;
  const offers = (flag: number): boolean => (offeredFlags & flag) !== 0;
  const fuaIsGone = (flags & COMMAND_FLAG.FUA) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FUA);
  const kept = fuaIsGone ? flags & ~COMMAND_FLAG.FUA : flags;
  if (command === COMMAND.TRIM && !offers(TRANSMISSION_FLAG.SEND_TRIM)) return fuaIsGone ? flush() : [];
  if (command === COMMAND.CACHE && !offers(TRANSMISSION_FLAG.SEND_CACHE)) return [];
  if (command === COMMAND.WRITE_ZEROES && !offers(TRANSMISSION_FLAG.SEND_WRITE_ZEROES)) {
    return steps(writtenZeros(request, kept & COMMAND_FLAG.FUA), fuaIsGone);
  }
  const fastIsGone = (flags & COMMAND_FLAG.FAST_ZERO) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FAST_ZERO);
  if (!fuaIsGone && !fastIsGone) return undefined;
  return steps([step(request, kept & ~(fastIsGone ? COMMAND_FLAG.FAST_ZERO : 0))], fuaIsGone);
}

function* steps(first: Iterable<StandInStep>, thenFlush: boolean): Generator<StandInStep> {
  yield* first;
  if (thenFlush) yield* flush();
}

function* flush(): Generator<StandInStep> {
  yield { command: COMMAND.FLUSH, flags: 0, offset: 0, length: 0, payload: [], room: undefined };
}

function* writtenZeros(request: DiskRequest, flags: number): Generator<StandInStep> {
  const end = request.offset + request.length;
  for (let offset = request.offset; offset < end; offset += ZEROS.buffer.length) {
    const length = Math.min(ZEROS.buffer.length, end - offset);
    const payload = [new Slice(ZEROS, 0, length, 0)];
    yield { command: COMMAND.WRITE, flags, offset, length, payload, room: undefined };
  }
}

/** The request with other flags; its payload keeps its headroom, which is written anew for every sending. */
function step(request: DiskRequest, flags: number): StandInStep {
  const { command, offset, length, payload } = request;
  return { command, flags, offset, length, payload, room: undefined };
}
