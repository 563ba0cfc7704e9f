/** A range of bytes, from `start` up to `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where in the chunks a run of neighbours begins, and the run. */
interface Run<Item extends Range> {
  readonly chunk: number;
  readonly index: number;
  readonly items: readonly Item[];
}

/** A chunk of twice this length is split: short enough to shift cheaply, long enough to have few of them. */
const CHUNK_ITEMS = 32;

/** Ranges that do not overlap, in order; finding and replacing takes a time that hardly grows with their number. */
export class SortedRanges<Item extends Range> {
  /** Never empty, and no chunk is, except the only one. */
  #chunks: Item[][] = [[]];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Whether any of them overlaps [start, end); none overlaps an empty range. */
  overlaps(start: number, end: number): boolean {
    if (this.#count === 0 || start >= end) return false;
    const { chunk, index } = this.#place(start);
    const item = this.#chunks[chunk]?.[index];
    return item !== undefined && item.start < end;
  }

  /** Those that overlap [start, end), in order, as they are now. */
  within(start: number, end: number): readonly Item[] {
    return this.#count === 0 ? NONE : this.#run(start, end).items;
  }

  /** All of them, in order, as they are now. */
  all(): readonly Item[] {
    // Ten times as fast as flat().
    return ([] as Item[]).concat(...this.#chunks);
  }

  /** Puts one in where nothing is, the usual case; false where there is something that it overlaps. */
  insert(item: Item): boolean {
    const { chunk, index } = this.#place(item.start);
    const items = this.#chunks[chunk] ?? [];
    const next = items[index];
    if (next === undefined) items.push(item);
    else if (next.start >= item.end) items.splice(index, 0, item);
    else return false;
    this.#count += 1;
    if (items.length > 2 * CHUNK_ITEMS) this.#balance(chunk);
    return true;
  }

  /** Takes out those that overlap [start, end), and puts others in their place that fill no more than the same room. */
  replace(start: number, end: number, make: (covered: readonly Item[]) => readonly Item[]): void {
    const { chunk, index, items } = this.#run(start, end);
    const others = make(items);
    let left = items.length;
    let at = chunk;
    // The run may reach into the next chunks, which then begin with the rest of it.
    for (let from = index; left > 0; from = 0) {
      const taken = this.#chunks[at]?.splice(from, left).length ?? left;
      left -= taken;
      at += 1;
    }
    this.#chunks[chunk]?.splice(index, 0, ...others);
    this.#count += others.length - items.length;
    if (at > chunk + 1) this.#chunks = this.#chunks.filter((one, place) => place <= chunk || one.length > 0);
    this.#balance(chunk);
  }

  /** Keeps only those that are wanted. */
  filter(wanted: (item: Item) => boolean): void {
    const kept = this.#chunks.map((chunk) => chunk.filter((item) => wanted(item))).filter((chunk) => chunk.length > 0);
    this.#count = kept.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#chunks = kept.length === 0 ? [[]] : kept;
  }

  #run(start: number, end: number): Run<Item> {
    const { chunk, index } = this.#place(start);
    const items: Item[] = [];
    for (let at = chunk, from = index; at < this.#chunks.length; at += 1, from = 0) {
      const within = this.#chunks[at] ?? [];
      for (let place = from; place < within.length; place += 1) {
        const item = within[place];
        if (item === undefined || item.start >= end || start >= end) return { chunk, index, items };
        items.push(item);
      }
    }
    return { chunk, index, items };
  }

  /** Where the first one is, or would be, that ends behind `start`. */
  #place(start: number): { chunk: number; index: number } {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const items = chunks[middle];
      const last = items === undefined ? undefined : items[items.length - 1];
      if (last !== undefined && last.end > start) high = middle;
      else low = middle + 1;
    }
    return { chunk: low, index: firstEndingBehind(chunks[low] ?? NONE, start) };
  }

  #balance(at: number): void {
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
    while (chunk.length > 2 * CHUNK_ITEMS) this.#chunks.splice(at + 1, 0, chunk.splice(-CHUNK_ITEMS));
  }
}

const NONE: readonly never[] = [];

/** The index of the first one that ends behind `start`; their number when none does. */
function firstEndingBehind(items: readonly Range[], start: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && item.end > start) high = middle;
    else low = middle + 1;
  }
  return low;
}
