import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { WASI } from "node:wasi";
import { LIMITS } from "../limits.ts";

/** The calls of WASI that are used here ("preview 1"); each returns an error number, 0 for success. */
interface WasiCalls {
  fd_read(fd: number, buffersAt: number, buffers: number, countAt: number): number;
  sched_yield(): number;
}

/** The little of it that is used here, which is in every Node.js but not in its types. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => WasmMemory;
};
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

type WasiClass = typeof WASI;

/** Where things are in the page of memory that WASI reads into: one buffer's place and size, how much was read, the buffer. */
const BUFFERS_AT = 0;
const COUNT_AT = 8;
const BYTES_AT = 64;
/** WASI's numbers of what is no error: nothing has come, and a signal has. */
const NOTHING_YET: ReadonlySet<number> = new Set([6, 27]);
/** And of those that say nothing of a connection: the descriptor is not open, or not to be read. */
const NOT_HERE: ReadonlySet<number> = new Set([8, 76]);
/** The system's names of what connections break with. */
const CODES: ReadonlyMap<number, string> = new Map([
  [13, "ECONNABORTED"],
  [14, "ECONNREFUSED"],
  [15, "ECONNRESET"],
  [23, "EHOSTUNREACH"],
  [38, "ENETDOWN"],
  [39, "ENETRESET"],
  [40, "ENETUNREACH"],
  [50, "ENOPROTOOPT"],
  [73, "ETIMEDOUT"],
]);

/** Reads of one descriptor that does not block. The descriptor must be open whenever it is used. */
export class DirectRead {
  /** What the last read got, from the beginning on; shared by all, so it is good until the next read. */
  readonly bytes: Buffer;
  readonly #calls: WasiCalls;
  readonly #words: Uint32Array;

  constructor(calls: WasiCalls, words: Uint32Array, bytes: Buffer) {
    this.#calls = calls;
    this.#words = words;
    this.bytes = bytes;
  }

  /**
   * Reads up to `LIMITS.closeLookBytes`. Returns how many; 0 when nothing has come, or the end; undefined when this descriptor
   * can't be read so. Throws the system's error when the connection is broken: it says only once why, so that nobody else will
   * hear of it.
   */
  read(): number | undefined {
    // Whose the descriptor is was said when the calls were made: it is their standard input.
    const error = this.#calls.fd_read(0, BUFFERS_AT, 1, COUNT_AT);
    if (error === 0) return this.#words[COUNT_AT / 4];
    if (NOTHING_YET.has(error)) return 0;
    if (NOT_HERE.has(error)) return undefined;
    // What has no name here must not pass for a connection that the other side has closed.
    const code = CODES.get(error) ?? "EIO";
    throw Object.assign(new Error(`read ${code}`), { code, syscall: "read" });
  }
}

/**
 * Looks whether anything has come to a descriptor, without the event loop. All that node:fs has for it throws when nothing has,
 * which takes longer than a turn of the loop; the system calls of WASI return a number instead. They take no WebAssembly
 * program, just a page of memory to read into.
 */
export class DirectReads {
  readonly #wasi: WasiClass;
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  readonly #words = new Uint32Array(this.#memory.buffer, 0, BYTES_AT / 4);
  readonly #bytes = Buffer.from(this.#memory.buffer, BYTES_AT, LIMITS.closeLookBytes);
  /** Those of a descriptor that is closed; for what has nothing to do with one. */
  readonly #calls: WasiCalls;

  private constructor(wasi: WasiClass) {
    this.#wasi = wasi;
    this.#words.set([BYTES_AT, this.#bytes.length], BUFFERS_AT / 4);
    const fd = openSync(devNull, "r");
    try {
      this.#calls = this.#callsOf(fd);
      if (new DirectRead(this.#calls, this.#words, this.#bytes).read() !== 0) throw new Error("WASI can't read here");
    } finally {
      closeSync(fd);
    }
  }

  /** Undefined where there is no such thing: on an older Node.js, or one that may not do it. */
  static find(): DirectReads | undefined {
    try {
      return new DirectReads(wasiClass());
    } catch {
      return undefined;
    }
  }

  /** Undefined when the descriptor is of a kind that can't be read so. */
  of(fd: number): DirectRead | undefined {
    try {
      return new DirectRead(this.#callsOf(fd), this.#words, this.#bytes);
    } catch {
      return undefined;
    }
  }

  /** Lets somebody else have this processor first, if anybody waits for it. */
  giveWay(): void {
    this.#calls.sched_yield();
  }

  /** They know the descriptor by its number, and close it under no circumstances. */
  #callsOf(fd: number): WasiCalls {
    const wasi = new this.#wasi({ version: "preview1", stdin: fd, stdout: fd, stderr: fd });
    wasi.initialize({ exports: { memory: this.#memory } });
    return wasi.wasiImport as unknown as WasiCalls;
  }
}

/** What Node.js says of it at the first use, that it is experimental, is no news to who runs this program. */
function wasiClass(): WasiClass {
  const emitWarning: unknown = Reflect.get(process, "emitWarning");
  Reflect.set(process, "emitWarning", () => undefined);
  try {
    return process.getBuiltinModule("node:wasi").WASI;
  } finally {
    Reflect.set(process, "emitWarning", emitWarning);
  }
}
