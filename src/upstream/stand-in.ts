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
  if (understands(command, flags, offer)) return undefined;
  const kept = flags & ~flagsGone(offer);
  if (!isGone(command, offer)) return [withFlags(request, kept)];
  // Anything but zeros is a hint.
  if (command !== COMMAND.WRITE_ZEROES) return [];
  const stepBytes = Math.min(ZEROS.buffer.length, offer.maximumPayloadBytes);
  return writtenZeros(request, kept & COMMAND_FLAG.FUA, stepBytes);
}

/** Whether a server understands a command with those flags: nearly always, and on the way of every request. */
export function understands(command: number, flags: number, offer: Offer): boolean {
  return (flags === 0 || (flags & flagsGone(offer)) === 0) && !isGone(command, offer);
}

/**
 * What to send in place of a READ that was under way when a connection was lost: a server that meets a bad block in the middle
 * of an answer in fragments can only hang up, as qemu-nbd does, while one that is to answer in one chunk can say what is wrong.
 * Where the server finds it too long for one chunk (EOVERFLOW), it is asked for as before. Undefined when that can't help.
 */
export function inOneChunk(request: StandInStep, offer: Offer): readonly StandInStep[] | undefined {
  const { command, flags, length } = request;
  const offered = (offer.flags & TRANSMISSION_FLAG.SEND_DF) !== 0;
  if (command !== COMMAND.READ || length === 0 || !offered || (flags & COMMAND_FLAG.DF) !== 0) return undefined;
  return [withFlags(request, flags | COMMAND_FLAG.DF), request];
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

/** Whether a command was not offered; only some of them have to be. */
function isGone(command: number, offer: Offer): boolean {
  switch (command) {
    case COMMAND.TRIM:
      return (offer.flags & TRANSMISSION_FLAG.SEND_TRIM) === 0;
    case COMMAND.CACHE:
      return (offer.flags & TRANSMISSION_FLAG.SEND_CACHE) === 0;
    case COMMAND.WRITE_ZEROES:
      return (offer.flags & TRANSMISSION_FLAG.SEND_WRITE_ZEROES) === 0;
    default:
      return false;
  }
}

/** Those command flags that were not offered; only some of them have to be. */
function flagsGone({ flags }: Offer): number {
  const fua = (flags & TRANSMISSION_FLAG.SEND_FUA) === 0 ? COMMAND_FLAG.FUA : 0;
  const fastZero = (flags & TRANSMISSION_FLAG.SEND_FAST_ZERO) === 0 ? COMMAND_FLAG.FAST_ZERO : 0;
  return fua | fastZero | ((flags & TRANSMISSION_FLAG.SEND_DF) === 0 ? COMMAND_FLAG.DF : 0);
}
