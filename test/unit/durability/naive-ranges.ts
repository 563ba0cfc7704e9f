import type { Range } from "../../../src/durability/sorted-ranges.ts";

/** A range that can be told from others. */
export interface NamedRange extends Range {
  readonly name: string;
}

/** SortedRanges in their plainest form: for every byte, the range that it belongs to. */
export class NaiveRanges {
  readonly #bytes: (NamedRange | undefined)[];

  constructor(sizeBytes: number) {
    this.#bytes = Array.from({ length: sizeBytes }, () => undefined);
  }

  get count(): number {
    return this.all().length;
  }

  overlaps(start: number, end: number): boolean {
    return this.within(start, end).length > 0;
  }

  within(start: number, end: number): readonly NamedRange[] {
    return [...new Set(this.#bytes.slice(start, end))].filter((one) => one !== undefined);
  }

  all(): readonly NamedRange[] {
    return this.within(0, this.#bytes.length);
  }

  replace(start: number, end: number, make: (covered: readonly NamedRange[]) => readonly NamedRange[]): void {
    const covered = this.within(start, end);
    for (const one of covered) this.#bytes.fill(undefined, one.start, one.end);
    for (const one of make(covered)) this.#bytes.fill(one, one.start, one.end);
  }

  filter(wanted: (range: NamedRange) => boolean): void {
    for (const one of this.all()) if (!wanted(one)) this.#bytes.fill(undefined, one.start, one.end);
  }
}
