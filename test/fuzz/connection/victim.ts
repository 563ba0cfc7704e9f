import type { DiskHandle, ErrorDetail, Reply } from "../../../src/disk.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { expectThat } from "../support/fuzz-target.ts";
import { pattern, PATTERN_BYTES } from "../support/pattern.ts";
import type { Asked } from "./chunked-answer.ts";
import { checkStatuses, toldSo } from "./told-statuses.ts";
import type { Answer } from "./reply-witness.ts";

const READ = 0;
const WRITE = 1;
const FLUSH = 3;
const TRIM = 4;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;
const HEADER_BYTES = 28;
const OFFERS_FLUSH = 4;
const OFFERS_FUA = 8;
const OFFERS_TRIM = 32;
const OFFERS_DF = 128;
const READ_ONLY = 2;
const EIO = 5;
const ESHUTDOWN = 108;

/**
 * The user of a resilient disk: every request is about a range of its own, so that an answer shows which one it belongs to.
 * What it is told must be what some server really said.
 */
export class Victim {
  readonly #random: SeededRandom;
  readonly #geometry: Geometry;
  readonly #answers: readonly Answer[];
  readonly #found: (error: unknown) => void;
  readonly #unitBytes: number;
  #next = 0;
  #submitted = 0;
  #completed = 0;
  /** Errors of the disk's own are all right from now on: it was closed, or may give up. */
  excuses: ReadonlySet<number> = new Set();
  /** Whether the disk has a reason to answer EIO: the server does not take what it acknowledged, or dies of a request. */
  mayFail: () => boolean = () => false;

  /** `answers` are all that servers gave so far. */
  constructor(random: SeededRandom, geometry: Geometry, answers: readonly Answer[], found: (error: unknown) => void) {
    this.#random = random;
    this.#geometry = geometry;
    this.#answers = answers;
    this.#found = found;
    this.#unitBytes = Math.max(512, geometry.minimumBlockBytes);
  }

  get unanswered(): number {
    return this.#submitted - this.#completed;
  }

  get completed(): number {
    return this.#completed;
  }

  /** Submits one request, while there is a range that was not used yet. */
  ask(handle: DiskHandle): void {
    const { sizeBytes, maximumPayloadBytes, flags, contexts } = this.#geometry;
    const random = this.#random;
    const offset = this.#next * this.#unitBytes;
    const length = this.#unitBytes * (1 + random.integer(this.#unitBytes === 512 ? 8 : 1));
    if (offset + length > Math.min(sizeBytes, PATTERN_BYTES) || length > maximumPayloadBytes) return;
    this.#next += length / this.#unitBytes;
    const command = random.pick([READ, READ, WRITE, WRITE, FLUSH, TRIM, BLOCK_STATUS]);
    const readOnly = (flags & READ_ONLY) !== 0;
    if (command === FLUSH && (flags & OFFERS_FLUSH) === 0) return;
    if (command === TRIM && (readOnly || (flags & OFFERS_TRIM) === 0)) return;
    if (command === WRITE && readOnly) return;
    if (command === BLOCK_STATUS && contexts.length === 0) return;
    const commandFlags = random.chance(0.3) ? this.#flagFor(command) : 0;
    const range = command === FLUSH ? { offset: 0, length: 0 } : { offset, length };
    const payload = command === WRITE ? this.#payload(offset, length) : [];
    let done = false;
    this.#submitted += 1;
    handle.submit({
      ...{ command, flags: commandFlags, ...range, payload },
      room: random.chance(0.5)
        ? new Slice(new Slab(Buffer.alloc(HEADER_BYTES)), HEADER_BYTES, HEADER_BYTES, HEADER_BYTES)
        : undefined,
      complete: (reply) => {
        try {
          expectThat(!done, "a request was completed twice");
          done = true;
          this.#completed += 1;
          this.#judge({ command, flags: commandFlags, ...range }, reply);
        } catch (error) {
          this.#found(error);
        }
      },
    });
  }

  #flagFor(command: number): number {
    const { flags } = this.#geometry;
    if (command === BLOCK_STATUS) return REQ_ONE;
    if (command === READ) return (flags & OFFERS_DF) === 0 ? 0 : DF;
    return command === WRITE && (flags & OFFERS_FUA) !== 0 ? 1 : 0;
  }

  #payload(offset: number, length: number): Slice[] {
    const headroom = this.#random.chance(0.5) ? HEADER_BYTES : 0;
    const memory = new Slab(Buffer.concat([Buffer.alloc(headroom), pattern(offset, length)]));
    const middle = headroom + this.#random.integer(length);
    const whole = headroom + length;
    if (middle === headroom) return [new Slice(memory, headroom, whole, headroom)];
    return [new Slice(memory, headroom, middle, headroom), new Slice(memory, middle, whole, 0)];
  }

  #judge(asked: Asked, reply: Reply): void {
    const { command, offset, length } = asked;
    const { error } = reply;
    const data = Buffer.concat(
      reply.pieces.map((piece) => (piece.kind === "hole" ? Buffer.alloc(piece.lengthBytes) : piece.slice.bytes())),
    );
    const isData = error === 0 && command === READ;
    expectThat(data.length === (isData ? length : 0), `${data.length} bytes of data for ${length}`);
    const isStatus = error === 0 && command === BLOCK_STATUS;
    if (isStatus) checkStatuses(reply.statuses ?? [], asked, this.#geometry.contexts);
    else expectThat(reply.statuses === undefined, "block status that nobody asked for");
    if (error !== 0 && this.excuses.has(error)) return;
    if (error === EIO && this.mayFail()) return;
    expectThat(error !== ESHUTDOWN, "ESHUTDOWN was passed on");
    // Where a server lacks TRIM, it is dropped; where it lacks FUA, a FLUSH may fail in the place of a WRITE.
    if (command === TRIM && error === 0) return;
    const given = this.#answers.some((answer) => {
      const { request } = answer;
      const stoodIn = error !== 0 && request.command === FLUSH;
      const matches = request.command === command && request.offset === offset && request.length === length;
      if (answer.error !== error || (!stoodIn && !matches) || (isData && !answer.data.equals(data))) return false;
      return saidSo(reply.detail, answer, asked) && (!isStatus || toldSo(reply.statuses ?? [], answer.statuses, asked));
    });
    expectThat(given, `no server ever gave this answer, error ${error}, to command ${command} at ${offset}`);
  }
}

/** What is passed on of an error is what the server said of it, and the place is one that was asked about. */
function saidSo(detail: ErrorDetail | undefined, { text }: Answer, { offset, length }: Asked): boolean {
  if (detail === undefined) return true;
  const isInside = detail.offset === undefined || (detail.offset >= offset && detail.offset < offset + length);
  return detail.text === text && isInside;
}
