import { INVARIANTS } from "./invariants.ts";
import { SortedRanges } from "./sorted-ranges.ts";

/** What a write left on the disk. It counts the fragments that are parts of it, to know when nobody needs it. */
export interface LogContent {
  retain(): void;
  release(): void;
}

/** An acknowledged write-like request, on bytes [start, end) of the disk. */
export interface LoggedWrite<Content extends LogContent> {
  readonly start: number;
  readonly end: number;
  /** WRITE, WRITE_ZEROES or TRIM, and the flags to replay it with. */
  readonly command: number;
  readonly flags: number;
  /** The bytes of a WRITE. */
  readonly content: Content | undefined;
}

/** The part of a LoggedWrite that nothing newer covers. */
export interface Fragment<Content extends LogContent> extends LoggedWrite<Content> {
  /** The bytes of a WRITE, and where they begin in it. */
  content: Content | undefined;
  contentStart: number;
  /** Counts up with every change of the log: a FLUSH covers what is not younger than itself. */
  number: number;
  /** It is on stable storage, and only kept because a pin is on it. */
  stable: boolean;
}

/** Which ranges must stay in the log, whatever was flushed. */
export interface Pinned {
  overlaps(start: number, end: number): boolean;
}

/**
 * The newest acknowledged content of every range that may not be on stable storage: fragments that do not overlap. Replaying
 * all of them, in any order, makes a server whole again that lost its cache.
 */
export class WriteLog<Content extends LogContent> {
  readonly #fragments = new SortedRanges<Fragment<Content>>();
  readonly #pinned: Pinned;
  #number = 0;
  #contentBytes = 0;
  #unstableBytes = 0;
  /** For I1: what came in and has not gone one of the legal ways must be here. */
  #owedBytes = 0;

  constructor(pinned: Pinned) {
    this.#pinned = pinned;
  }

  /** The number of the youngest fragment so far. */
  get number(): number {
    return this.#number;
  }

  get entries(): number {
    return this.#fragments.count;
  }

  /** The length of all fragments, those of zeros included. */
  get bytes(): number {
    return this.#owedBytes;
  }

  /** The length of those that have content. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** The length of those that are not known to be on stable storage. */
  get unstableBytes(): number {
    return this.#unstableBytes;
  }

  /** A write was acknowledged that the server may lose: it replaces what it covers. */
  append(write: LoggedWrite<Content>): void {
    this.#put(write, false);
  }

  /** One was acknowledged that is on stable storage (FUA): what it covers is history. Where a pin is, it is kept. */
  supersede(write: LoggedWrite<Content>): void {
    if (this.#pinned.overlaps(write.start, write.end)) this.#put(write, true);
    else if (this.#fragments.overlaps(write.start, write.end)) this.#cut(write.start, write.end, undefined);
  }

  /** A FLUSH that was sent when `number` was the youngest succeeded: what it covered leaves, unless a pin is on it. */
  trim(number: number): void {
    this.#fragments.filter((fragment) => {
      if (fragment.number > number) return true;
      if (this.#pinned.overlaps(fragment.start, fragment.end)) {
        this.#settle(fragment, true);
        return true;
      }
      this.#leave(fragment);
      return false;
    });
    this.#checkBalance();
  }

  /** What overlaps [start, end) was written anew, and has to be flushed like any other. */
  renew(start: number, end: number): void {
    for (const fragment of this.#fragments.within(start, end)) {
      this.#number += 1;
      fragment.number = this.#number;
      this.#settle(fragment, false);
    }
  }

  /** Forgets what overlaps none of the pins any more and is stable. */
  forgetStable(): void {
    this.#fragments.filter((fragment) => {
      if (!fragment.stable || this.#pinned.overlaps(fragment.start, fragment.end)) return true;
      this.#leave(fragment);
      return false;
    });
    this.#checkBalance();
  }

  /** Puts other contents, with the same bytes from their start on, in place of those for which `make` has one. */
  repack(make: (fragment: Fragment<Content>) => Content | undefined): void {
    for (const fragment of this.#fragments.all()) {
      const content = make(fragment);
      if (content === undefined) continue;
      content.retain();
      fragment.content?.release();
      fragment.content = content;
      fragment.contentStart = 0;
    }
  }

  /** Forgets everything, flushed or not. */
  clear(): void {
    this.#fragments.filter((fragment) => {
      this.#leave(fragment);
      return false;
    });
    this.#checkBalance();
  }

  /** All fragments in the order of their ranges, as they are now. */
  all(): readonly Fragment<Content>[] {
    return this.#fragments.all();
  }

  /** What it has of [start, end), in the order of their ranges, as it is now: of a fragment that reaches beyond, the part inside. */
  within(start: number, end: number): readonly Fragment<Content>[] {
    return this.#fragments
      .within(start, end)
      .map((fragment) => part(fragment, Math.max(start, fragment.start), Math.min(end, fragment.end)));
  }

  #put({ start, end, command, flags, content }: LoggedWrite<Content>, stable: boolean): void {
    if (start === end) return;
    this.#number += 1;
    content?.retain();
    const fragment = { start, end, command, flags, content, contentStart: 0, number: this.#number, stable };
    if (!this.#fragments.insert(fragment)) this.#cut(start, end, fragment);
    this.#count(fragment, 1);
    this.#owedBytes += end - start;
  }

  /** Takes [start, end) out of what is there; what stands over on either side stays. */
  #cut(start: number, end: number, instead: Fragment<Content> | undefined): void {
    this.#fragments.replace(start, end, (covered) => {
      const first = covered[0];
      const last = covered.at(-1);
      const left = first !== undefined && first.start < start ? part(first, first.start, start) : undefined;
      const right = last !== undefined && last.end > end ? part(last, end, last.end) : undefined;
      // Before the whole is let go of, or its content would be gone.
      for (const rest of [left, right]) {
        if (rest === undefined) continue;
        rest.content?.retain();
        this.#count(rest, 1);
      }
      for (const fragment of covered) {
        this.#count(fragment, -1);
        this.#owedBytes -= Math.min(end, fragment.end) - Math.max(start, fragment.start);
        fragment.content?.release();
      }
      return [left, instead, right].filter((fragment) => fragment !== undefined);
    });
  }

  #leave(fragment: Fragment<Content>): void {
    this.#count(fragment, -1);
    this.#owedBytes -= fragment.end - fragment.start;
    fragment.content?.release();
  }

  #settle(fragment: Fragment<Content>, stable: boolean): void {
    this.#count(fragment, -1);
    fragment.stable = stable;
    this.#count(fragment, 1);
  }

  #count({ content, start, end, stable }: Fragment<Content>, sign: 1 | -1): void {
    if (content !== undefined) this.#contentBytes += sign * (end - start);
    if (!stable) this.#unstableBytes += sign * (end - start);
  }

  #checkBalance(): void {
    // Counted anew: what was lost inside would be missing in no sum that is kept.
    const heldBytes = this.#fragments.all().reduce((sum, { start, end }) => sum + end - start, 0);
    INVARIANTS.check(
      heldBytes === this.#owedBytes,
      "I1",
      `the log holds ${heldBytes} bytes instead of ${this.#owedBytes}`,
    );
  }
}

/** The part [start, end) of a fragment; it is not counted as one that needs the content. */
function part<Content extends LogContent>(fragment: Fragment<Content>, start: number, end: number): Fragment<Content> {
  const { command, flags, content, number, stable } = fragment;
  const contentStart = fragment.contentStart + (start - fragment.start);
  // Not spread, and in the same order as a whole one: all are of one shape for the engine, which is twice as fast.
  return { start, end, command, flags, content, contentStart, number, stable };
}
