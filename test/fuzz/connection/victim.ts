import type { DiskHandle, DiskRequest, Reply } from "../../../src/disk.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { expectThat } from "../support/fuzz-target.ts";
import { pattern, PATTERN_BYTES } from "../support/pattern.ts";
import type { Answer } from "./reply-witness.ts";

const READ = 0;
const WRITE = 1;
const FLUSH = 3;
const TRIM = 4;
const HEADER_BYTES = 28;
const OFFERS_FLUSH = 4;
const OFFERS_FUA = 8;
const OFFERS_TRIM = 32;
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
    const { sizeBytes, maximumPayloadBytes, flags } = this.#geometry;
    const random = this.#random;
    const offset = this.#next * this.#unitBytes;
    const length = this.#unitBytes * (1 + random.integer(this.#unitBytes === 512 ? 8 : 1));
    if (offset + length > Math.min(sizeBytes, PATTERN_BYTES) || length > maximumPayloadBytes) return;
    this.#next += length / this.#unitBytes;
    const command = random.pick([READ, READ, WRITE, WRITE, FLUSH, TRIM]);
    const readOnly = (flags & READ_ONLY) !== 0;
    if (command === FLUSH && (flags & OFFERS_FLUSH) === 0) return;
    if (command === TRIM && (readOnly || (flags & OFFERS_TRIM) === 0)) return;
    if (command === WRITE && readOnly) return;
    const fua = command === WRITE && (flags & OFFERS_FUA) !== 0 && random.chance(0.3) ? 1 : 0;
    const range = command === FLUSH ? { offset: 0, length: 0 } : { offset, length };
    const payload = command === WRITE ? this.#payload(offset, length) : [];
    let done = false;
    this.#submitted += 1;
    handle.submit({
      ...{ command, flags: fua, ...range, payload },
      room: random.chance(0.5)
        ? new Slice(new Slab(Buffer.alloc(HEADER_BYTES)), HEADER_BYTES, HEADER_BYTES, HEADER_BYTES)
        : undefined,
      complete: (reply) => {
        try {
          expectThat(!done, "a request was completed twice");
          done = true;
          this.#completed += 1;
          this.#judge({ command, ...range }, reply);
        } catch (error) {
          this.#found(error);
        }
      },
    });
  }

  #payload(offset: number, length: number): Slice[] {
    const headroom = this.#random.chance(0.5) ? HEADER_BYTES : 0;
    const memory = new Slab(Buffer.concat([Buffer.alloc(headroom), pattern(offset, length)]));
    const middle = headroom + this.#random.integer(length);
    const whole = headroom + length;
    if (middle === headroom) return [new Slice(memory, headroom, whole, headroom)];
    return [new Slice(memory, headroom, middle, headroom), new Slice(memory, middle, whole, 0)];
  }

  #judge({ command, offset, length }: Pick<DiskRequest, "command" | "offset" | "length">, reply: Reply): void {
    const { error } = reply;
    const data = Buffer.concat(
      reply.pieces.map((piece) => (piece.kind === "hole" ? Buffer.alloc(piece.lengthBytes) : piece.slice.bytes())),
    );
    const isData = error === 0 && command === READ;
    expectThat(data.length === (isData ? length : 0), `${data.length} bytes of data for ${length}`);
    if (error !== 0 && this.excuses.has(error)) return;
    if (error === EIO && this.mayFail()) return;
    expectThat(error !== ESHUTDOWN, "ESHUTDOWN was passed on");
    // Where a server lacks TRIM, it is dropped; where it lacks FUA, a FLUSH may fail in the place of a WRITE.
    if (command === TRIM && error === 0) return;
    const given = this.#answers.some(({ request, error: said, data: bytes }) => {
      const stoodIn = error !== 0 && request.command === FLUSH;
      const matches = request.command === command && request.offset === offset && request.length === length;
      return said === error && (stoodIn || matches) && (!isData || bytes.equals(data));
    });
    expectThat(given, `no server ever gave this answer, error ${error}, to command ${command} at ${offset}`);
  }
}
