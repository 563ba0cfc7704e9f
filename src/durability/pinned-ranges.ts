import { type Range, SortedRanges } from "./sorted-ranges.ts";

/** A range that is pinned, and until when. */
export interface Pin extends Range {
  readonly untilMs: number;
}

/**
 * The ranges of write-like requests that were unanswered when a connection was lost (R9): the server may carry such a request
 * out later, on top of newer content. Until then the newest acknowledged content stays in memory and lies over what is
 * read.
 */
export class PinnedRanges {
  readonly #pins = new SortedRanges<Pin>();

  /** How many bytes are pinned. */
  get bytes(): number {
    return this.#pins.all().reduce((sum, { start, end }) => sum + end - start, 0);
  }

  get count(): number {
    return this.#pins.count;
  }

  /** Whether a pin is on any of [start, end). */
  overlaps(start: number, end: number): boolean {
    return this.#pins.overlaps(start, end);
  }

  /** The pins on [start, end), in order: of one that reaches beyond, the part inside. */
  within(start: number, end: number): readonly Pin[] {
    return this.#pins
      .within(start, end)
      .map((pin) => ({ start: Math.max(start, pin.start), end: Math.min(end, pin.end), untilMs: pin.untilMs }));
  }

  /** Pins [start, end), for as long as this and every earlier pin on it say. */
  pin(start: number, end: number, untilMs: number): void {
    if (start === end) return;
    this.#pins.replace(start, end, (covered) => {
      const pins: Pin[] = [];
      let at = start;
      for (const pin of covered) {
        if (pin.start < start) pins.push({ start: pin.start, end: start, untilMs: pin.untilMs });
        if (at < pin.start) pins.push({ start: at, end: pin.start, untilMs });
        const inside = { start: Math.max(start, pin.start), end: Math.min(end, pin.end) };
        pins.push({ ...inside, untilMs: Math.max(untilMs, pin.untilMs) });
        if (pin.end > end) pins.push({ start: end, end: pin.end, untilMs: pin.untilMs });
        at = pin.end;
      }
      if (at < end) pins.push({ start: at, end, untilMs });
      return merged(pins);
    });
  }

  /** When the first pin ends; undefined when there is none. */
  get nextEndMs(): number | undefined {
    if (this.#pins.count === 0) return undefined;
    return this.#pins.all().reduce((first, { untilMs }) => Math.min(first, untilMs), Infinity);
  }

  /** The pins whose time has come. They stay until they are lifted. */
  ended(nowMs: number): readonly Pin[] {
    return this.#pins.all().filter(({ untilMs }) => untilMs <= nowMs);
  }

  /** Takes the pins away that have ended by then; others may lie on parts of the same ranges meanwhile. */
  lift(ranges: readonly Range[], byMs: number): void {
    for (const { start, end } of ranges) {
      this.#pins.replace(start, end, (covered) =>
        covered.flatMap((pin) => {
          if (pin.untilMs > byMs) return [pin];
          const before = { start: pin.start, end: Math.min(pin.end, start), untilMs: pin.untilMs };
          const behind = { start: Math.max(pin.start, end), end: pin.end, untilMs: pin.untilMs };
          return [before, behind].filter((rest) => rest.start < rest.end);
        }),
      );
    }
  }
}

/** Neighbours that end together become one. */
function merged(pins: readonly Pin[]): readonly Pin[] {
  const result: Pin[] = [];
  for (const pin of pins) {
    const last = result.at(-1);
    if (last?.end === pin.start && last.untilMs === pin.untilMs) result[result.length - 1] = { ...last, end: pin.end };
    else result.push(pin);
  }
  return result;
}
