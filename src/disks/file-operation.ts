import type { DiskRequest, Piece } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import { COMMAND_FLAG, NBD_ERROR } from "../protocol/constants.ts";
import { withoutFirst } from "../transport/without-first.ts";
import { complete, dispatch, freshSlice } from "./commands.ts";
import type { Commands } from "./commands.ts";
import { nbdErrorOf } from "./open-file.ts";
import type { OpenFile } from "./open-file.ts";

const ZEROS = Buffer.alloc(LIMITS.fileZerosBytes);

/** Whom an operation belongs to, and who is told of its end. */
export interface FileOperationOwner {
  /** The user has left: no further step is started. */
  isAbandoned(): boolean;
  /** The operation ended, its request is completed. */
  ended(): void;
}

/** One request carried out on a file, in one step after the other. */
export class FileOperation implements Commands {
  readonly #file: OpenFile;
  readonly #owner: FileOperationOwner;
  readonly #request: DiskRequest;

  constructor(file: OpenFile, owner: FileOperationOwner, request: DiskRequest) {
    this.#file = file;
    this.#owner = owner;
    this.#request = request;
  }

  start(): void {
    dispatch(this.#request, this);
  }

  read(request: DiskRequest): void {
    const slice = freshSlice(request.length);
    const data = slice.bytes();
    this.#move(0, (done, callback) => this.#file.read(data.subarray(done), request.offset + done, callback), [
      { kind: "data", slice },
    ]);
  }

  write(request: DiskRequest): void {
    let rest: readonly Buffer[] = request.payload.map((slice) => slice.bytes());
    let written = 0;
    this.#move(0, (done, callback) => {
      rest = withoutFirst(rest, done - written);
      written = done;
      this.#file.write(rest, request.offset + done, callback);
    });
  }

  writeZeroes(request: DiskRequest): void {
    this.#move(0, (done, callback) => {
      this.#file.write([ZEROS.subarray(0, request.length - done)], request.offset + done, callback);
    });
  }

  /** Does nothing, as the protocol allows: Node can't punch holes. */
  trim(): void {
    this.#end(0);
  }

  flush(): void {
    this.#sync();
  }

  /** Reading ahead into the page cache is left to the system. */
  cache(): void {
    this.unknown();
  }

  /** Node can't ask where a file has holes: no context is offered. */
  blockStatus(): void {
    this.unknown();
  }

  unknown(): void {
    this.#end(NBD_ERROR.EINVAL);
  }

  /** Repeats a step that moves some bytes until the whole length is done. */
  #move(done: number, step: (done: number, callback: FileStepCallback) => void, pieces?: readonly Piece[]): void {
    if (done === this.#request.length) return this.#moved(pieces);
    if (this.#owner.isAbandoned()) return this.#end(NBD_ERROR.ESHUTDOWN);
    step(done, (error, count) => {
      if (error !== null) this.#end(nbdErrorOf(error));
      // The file has become shorter than the disk, or takes nothing any more.
      else if (count === 0) this.#end(NBD_ERROR.EIO);
      else this.#move(done + count, step, pieces);
    });
  }

  #moved(pieces: readonly Piece[] | undefined): void {
    // FUA has nothing to say about a READ.
    if (pieces === undefined && (this.#request.flags & COMMAND_FLAG.FUA) !== 0) this.#sync();
    else this.#end(0, pieces);
  }

  #sync(): void {
    if (this.#owner.isAbandoned()) return this.#end(NBD_ERROR.ESHUTDOWN);
    this.#file.sync((error) => this.#end(error === null ? 0 : nbdErrorOf(error)));
  }

  #end(error: number, pieces?: readonly Piece[]): void {
    complete(this.#request, error, pieces);
    this.#owner.ended();
  }
}

type FileStepCallback = (error: NodeJS.ErrnoException | null, count: number) => void;
