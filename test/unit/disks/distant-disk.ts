import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { ReadAheadDisk } from "../../../src/disks/read-ahead-disk.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { attach, request } from "./ask.ts";

/** How a disk is reached. */
export interface Link {
  /** What each request takes, one or many alike. */
  readonly delayMs: number;
  /** What the bytes of all requests share. */
  readonly bytesPerMs: number;
}

/** What it took to read something. */
export interface Cost {
  readonly ms: number;
  readonly requests: number;
  readonly bytes: number;
}

/** Offset and length of each READ. */
export type Trace = readonly (readonly [number, number])[];

/** What the client needs for each READ. */
const CLIENT_MS = 0.2;

/** A disk in memory at the end of a link, with a time of its own; counts what it is asked. */
class DistantDisk implements Disk {
  readonly geometry: Geometry;
  readonly #disk: MemoryDisk;
  readonly #link: Link;
  readonly #due: { readonly atMs: number; readonly deliver: () => void }[] = [];
  #freeAtMs = 0;
  timeMs = 0;
  requests = 0;
  bytes = 0;

  constructor(sizeBytes: number, link: Link) {
    this.#disk = new MemoryDisk({ sizeBytes });
    this.geometry = this.#disk.geometry;
    this.#link = link;
  }

  nowMs(): number {
    return this.timeMs;
  }

  attach(user: DiskUser): DiskHandle {
    const handle = this.#disk.attach(user);
    return {
      submit: (asked: DiskRequest) => {
        this.requests += 1;
        this.bytes += asked.length;
        const { delayMs, bytesPerMs } = this.#link;
        this.#freeAtMs = Math.max(this.#freeAtMs, this.timeMs) + asked.length / bytesPerMs;
        this.#due.push({ atMs: this.#freeAtMs + delayMs, deliver: () => handle.submit(asked) });
      },
      close: () => handle.close(),
    };
  }

  /** Delivers what is due by now. */
  catchUp(): void {
    while ((this.#due[0]?.atMs ?? Infinity) <= this.timeMs) this.#due.shift()?.deliver();
  }

  /** Lets time pass until the next answer. */
  next(): void {
    const first = this.#due.shift();
    if (first === undefined) throw new Error("nobody waits for anything");
    this.timeMs = Math.max(this.timeMs, first.atMs);
    first.deliver();
  }
}

/** What it costs to read a trace, so many READs at a time, over a link to a disk of that size; without memory as it is. */
export function costOf(trace: Trace, cacheBytes: number, depth: number, link: Link, sizeBytes: number): Cost {
  const below = new DistantDisk(sizeBytes, link);
  const handle = attach(cacheBytes > 0 ? new ReadAheadDisk(below, { cacheBytes, clock: below }) : below);
  const open = new Set<object>();
  const waitFor = (most: number): void => {
    while (open.size > most) below.next();
  };
  for (const one of trace) {
    waitFor(depth - 1);
    below.timeMs += CLIENT_MS;
    below.catchUp();
    open.add(one);
    handle.submit(request({ offset: one[0], length: one[1] }, () => open.delete(one)));
  }
  waitFor(0);
  return { ms: below.timeMs, requests: below.requests, bytes: below.bytes };
}
