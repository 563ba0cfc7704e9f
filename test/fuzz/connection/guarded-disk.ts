import type { Disk, DiskHandle, DiskRequest, DiskUser, Piece } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { pattern } from "../support/pattern.ts";
import type { StepLimit } from "../support/step-limit.ts";
import { FUZZ_CONTEXTS, statusesOf } from "./fuzz-contexts.ts";

/** The disk of a fuzzed listener, and the part of it in which nothing but the pattern can be written. */
export const DISK_BYTES = 96 * 1024;
/** See `DISK_BYTES`: the first half of it is there from the beginning, the rest only when honest clients wrote it. */
export const GUARDED_BYTES = 64 * 1024;

const EPERM = 1;
const ESHUTDOWN = 108;
const WRITE = 1;
const BLOCK_STATUS = 7;

/** What the disk says of a write that it refuses, to those who can be told. */
export const REFUSAL = "this part is guarded";

/** A request that is taken and not yet carried out. */
interface Late {
  readonly handle: object;
  readonly request: DiskRequest;
}

/**
 * A memory disk that may be late, in any order, has metadata contexts that have nothing to do with it, and refuses writes into its guarded part unless they put there what
 * belongs there: so hostile clients can do what they like, and honest ones still know what they must read.
 */
export class GuardedDisk implements Disk {
  readonly geometry: Geometry;
  readonly #disk: MemoryDisk;
  readonly #random: SeededRandom;
  readonly #steps: StepLimit;
  readonly #lateness: number;
  readonly #handle: DiskHandle;
  #late: Late[] = [];

  constructor(random: SeededRandom, steps: StepLimit, name: string) {
    this.#random = random;
    this.#steps = steps;
    this.#lateness = random.pick([0, 0.3, 0.9]);
    this.#disk = new MemoryDisk({ sizeBytes: DISK_BYTES, name, minimumBlockBytes: random.pick([1, 1, 512]) });
    this.geometry = { ...this.#disk.geometry, contexts: FUZZ_CONTEXTS };
    const content = new Slab(Buffer.from(pattern(0, GUARDED_BYTES / 2)));
    const length = content.buffer.length;
    const payload = [new Slice(content, 0, length, 0)];
    this.#handle = this.#disk.attach({ onReset: () => undefined });
    const write = { command: WRITE, flags: 0, offset: 0, length, payload, room: undefined };
    this.#handle.submit({ ...write, complete: () => undefined });
  }

  attach(_user: DiskUser): DiskHandle {
    const handle = {};
    return {
      submit: (request) => {
        this.#steps.step();
        if (this.#random.chance(this.#lateness)) this.#late.push({ handle, request });
        else this.#carryOut(request);
      },
      close: () => {
        const left = this.#late.filter((late) => late.handle === handle);
        const dropped = this.#random.chance(0.5) ? left : [];
        this.#late = this.#late.filter((late) => !dropped.includes(late));
        for (const { request } of dropped) request.complete({ error: ESHUTDOWN, pieces: [], room: undefined });
      },
    };
  }

  /** Carries out one of the late requests; tells whether there was one. */
  completeOne(): boolean {
    const [late] = this.#late.splice(this.#random.integer(this.#late.length), 1);
    if (late !== undefined) this.#carryOut(late.request);
    return late !== undefined;
  }

  #carryOut(request: DiskRequest): void {
    const { command, flags, offset, length, payload, room } = request;
    if (this.#offends(request)) {
      const detail = this.#random.chance(0.5) ? { detail: { text: REFUSAL, offset } } : {};
      request.complete({ error: EPERM, pieces: [], room: undefined, ...detail });
    } else if (command === BLOCK_STATUS) {
      const statuses = statusesOf(request, DISK_BYTES);
      request.complete({ error: 0, pieces: [], room: undefined, statuses });
    } else {
      this.#handle.submit({
        ...{ command, flags, offset, length, payload, room },
        complete: (reply) => request.complete({ ...reply, pieces: this.#varied(reply.pieces) }),
      });
    }
  }

  /** The same content in other pieces: cut in two, belonging together or not, zeros as a hole. */
  #varied(pieces: readonly Piece[]): Piece[] {
    const random = this.#random;
    return pieces.flatMap((piece): Piece[] => {
      if (piece.kind === "hole" || random.chance(0.5)) return [piece];
      const { slab, start, end, headroomBytes } = piece.slice;
      const middle = start + 1 + random.integer(Math.max(1, piece.slice.length - 1));
      if (middle >= end) return [piece];
      const first = new Slice(slab, start, middle, headroomBytes);
      const second = new Slice(slab, middle, end, 0);
      const isHole = second.bytes().every((byte) => byte === 0);
      if (isHole)
        return [
          { ...piece, slice: first },
          { kind: "hole", lengthBytes: second.length },
        ];
      return [
        { ...piece, slice: first },
        { kind: "data", slice: second, continues: random.chance(0.5) },
      ];
    });
  }

  #offends({ command, offset, length, payload }: DiskRequest): boolean {
    const guarded = offset < GUARDED_BYTES && length > 0;
    if (!guarded || (command !== WRITE && command !== 4 && command !== 6)) return false;
    if (command !== WRITE || offset + length > GUARDED_BYTES) return true;
    const bytes = Buffer.concat(payload.map((slice) => slice.bytes()));
    return !bytes.equals(pattern(offset, length));
  }
}
