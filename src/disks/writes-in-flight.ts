import type { DiskRequest, Reply } from "../disk.ts";
import type { Slice } from "../transport/slice.ts";

/** The writes that were submitted and not answered yet. */
export class WritesInFlight {
  readonly #writes: WriteInFlight[] = [];

  /** What to submit in place of the request, so that its answer is noticed. */
  add(request: DiskRequest): DiskRequest {
    const write = new WriteInFlight(request, this.#writes.length, this.#answered);
    this.#writes.push(write);
    return write;
  }

  /** Calls back with the range of each of them. */
  forEach(visit: (startOffset: number, endOffset: number) => void): void {
    for (const { offset, length } of this.#writes) visit(offset, offset + length);
  }

  readonly #answered = (write: WriteInFlight): void => {
    const last = this.#writes.pop();
    if (last === undefined || last === write) return;
    this.#writes[write.index] = last;
    last.index = write.index;
  };
}

class WriteInFlight implements DiskRequest {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly payload: readonly Slice[];
  readonly room: Slice | undefined;
  index: number;
  readonly #request: DiskRequest;
  readonly #answered: (write: WriteInFlight) => void;

  constructor(request: DiskRequest, index: number, answered: (write: WriteInFlight) => void) {
    this.command = request.command;
    this.flags = request.flags;
    this.offset = request.offset;
    this.length = request.length;
    this.payload = request.payload;
    this.room = request.room;
    this.index = index;
    this.#request = request;
    this.#answered = answered;
  }

  complete(reply: Reply): void {
    this.#answered(this);
    this.#request.complete(reply);
  }
}
