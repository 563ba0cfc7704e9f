import type { DiskRequest, Piece } from "../disk.ts";
import { COMMAND, DATA_CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";

const NO_PIECES: readonly Piece[] = [];

/** What a disk of our own can be asked, one method for each command ("Request types"). Each completes its request. */
export interface Commands {
  read(request: DiskRequest): void;
  write(request: DiskRequest): void;
  flush(request: DiskRequest): void;
  trim(request: DiskRequest): void;
  cache(request: DiskRequest): void;
  writeZeroes(request: DiskRequest): void;
  blockStatus(request: DiskRequest): void;
  /** A command that is none of these. */
  unknown(request: DiskRequest): void;
}

/** Calls the method of the request's command; commands without one go to `unknown`. */
export function dispatch(request: DiskRequest, commands: Commands): void {
  switch (request.command) {
    case COMMAND.READ:
      return commands.read(request);
    case COMMAND.WRITE:
      return commands.write(request);
    case COMMAND.FLUSH:
      return commands.flush(request);
    case COMMAND.TRIM:
      return commands.trim(request);
    case COMMAND.CACHE:
      return commands.cache(request);
    case COMMAND.WRITE_ZEROES:
      return commands.writeZeroes(request);
    case COMMAND.BLOCK_STATUS:
      return commands.blockStatus(request);
    default:
      return commands.unknown(request);
  }
}

/** Completes a request with an `NBD_ERROR`, or with 0 and the pieces of a READ. */
export function complete(request: DiskRequest, error: number, pieces: readonly Piece[] = NO_PIECES): void {
  request.complete({ error, pieces, room: undefined });
}

/** Fresh memory for a READ's data, with room for a header of any kind of reply in front. Its contents are arbitrary. */
export function freshSlice(lengthBytes: number): Slice {
  const end = DATA_CHUNK_HEADER_BYTES + lengthBytes;
  return new Slice(new Slab(Buffer.allocUnsafe(end)), DATA_CHUNK_HEADER_BYTES, end, DATA_CHUNK_HEADER_BYTES);
}
