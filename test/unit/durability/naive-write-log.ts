import type { Fragment, LoggedWrite, Pinned } from "../../../src/durability/write-log.ts";
import type { CountedContent } from "./counted-content.ts";

/** What the log has of one byte. */
interface LoggedByte {
  readonly write: LoggedWrite<CountedContent>;
  number: number;
  stable: boolean;
}

/** Part of a write that nothing newer lies on: its bytes, and where they begin. */
interface Rest {
  readonly start: number;
  readonly bytes: readonly LoggedByte[];
}

/** Pins in their plainest form: whether a byte is pinned. */
export class NaivePins implements Pinned {
  readonly #bytes: boolean[] = [];

  overlaps(start: number, end: number): boolean {
    return this.#bytes.slice(start, end).includes(true);
  }

  set(start: number, end: number, pinned: boolean): void {
    for (let at = start; at < end; at += 1) this.#bytes[at] = pinned;
  }
}

/** A WriteLog in its plainest form: for every byte, the newest write. */
export class NaiveWriteLog {
  readonly #bytes: (LoggedByte | undefined)[];
  readonly #pinned: Pinned;
  #number = 0;

  constructor(sizeBytes: number, pinned: Pinned) {
    this.#bytes = Array.from({ length: sizeBytes }, () => undefined);
    this.#pinned = pinned;
  }

  get number(): number {
    return this.#number;
  }

  append(write: LoggedWrite<CountedContent>): void {
    this.#put(write, false);
  }

  supersede(write: LoggedWrite<CountedContent>): void {
    if (this.#pinned.overlaps(write.start, write.end)) this.#put(write, true);
    else this.#bytes.fill(undefined, write.start, write.end);
  }

  trim(number: number): void {
    for (const rest of this.#rests()) {
      if ((rest.bytes[0]?.number ?? 0) > number) continue;
      if (this.#isPinned(rest)) for (const byte of rest.bytes) byte.stable = true;
      else this.#forget(rest);
    }
  }

  renew(start: number, end: number): void {
    for (const rest of this.#rests()) {
      if (rest.start >= end || rest.start + rest.bytes.length <= start || start === end) continue;
      this.#number += 1;
      for (const byte of rest.bytes) Object.assign(byte, { number: this.#number, stable: false });
    }
  }

  forgetStable(): void {
    for (const rest of this.#rests()) if (rest.bytes[0]?.stable === true && !this.#isPinned(rest)) this.#forget(rest);
  }

  clear(): void {
    this.#bytes.fill(undefined);
  }

  /** What the fragments of the log have to be. */
  fragments(): readonly Fragment<CountedContent>[] {
    return this.#rests().map(({ start, bytes }) => {
      const [first] = bytes;
      if (first === undefined) throw new Error("a rest without bytes");
      const { write, number, stable } = first;
      return { ...write, start, end: start + bytes.length, contentStart: start - write.start, number, stable };
    });
  }

  #put(write: LoggedWrite<CountedContent>, stable: boolean): void {
    if (write.start === write.end) return;
    this.#number += 1;
    for (let at = write.start; at < write.end; at += 1) this.#bytes[at] = { write, number: this.#number, stable };
  }

  #rests(): readonly Rest[] {
    const rests: { start: number; bytes: LoggedByte[] }[] = [];
    for (const [at, byte] of this.#bytes.entries()) {
      if (byte === undefined) continue;
      const last = rests.at(-1);
      const goesOn = last !== undefined && last.start + last.bytes.length === at && last.bytes[0]?.write === byte.write;
      if (goesOn) last.bytes.push(byte);
      else rests.push({ start: at, bytes: [byte] });
    }
    return rests;
  }

  #isPinned({ start, bytes }: Rest): boolean {
    return this.#pinned.overlaps(start, start + bytes.length);
  }

  #forget({ start, bytes }: Rest): void {
    this.#bytes.fill(undefined, start, start + bytes.length);
  }
}
