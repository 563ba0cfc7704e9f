import { BLOCK_EVENT, eventParts } from "./block-event.ts";

/** The writes of a block that were sent and are not answered, each at its slot; 0 where none is. */
export type Slots = readonly number[];

const FREE = 0;
const USED = 64;
const FUA = 16;
const LATE = 32;
const VALUE = 15;

/** A write of a block that was sent. */
export interface SentWrite {
  readonly value: number;
  readonly fua: boolean;
  /** Over a connection that was followed by another. */
  readonly late: boolean;
}

/** What is at a slot; undefined where nothing is. */
export function writeAt(slots: Slots, slot: number): SentWrite | undefined {
  const write = slots[slot] ?? FREE;
  if (write === FREE) return undefined;
  return { value: write & VALUE, fua: (write & FUA) !== 0, late: (write & LATE) !== 0 };
}

/** The slots after an event. */
export function slotsAfter(slots: Slots, event: number): Slots {
  const { kind, number, value, flag } = eventParts(event);
  switch (kind) {
    case BLOCK_EVENT.writeSent: {
      const next = [...slots];
      while (next.length <= number) next.push(FREE);
      next[number] = USED | value | (flag === 1 ? FUA : 0);
      return next;
    }
    case BLOCK_EVENT.writeAnswered:
    case BLOCK_EVENT.expired: {
      const next = slots.with(number, FREE);
      while (next.at(-1) === FREE) next.pop();
      return next;
    }
    case BLOCK_EVENT.connected:
      return slots.map((write) => (write === FREE ? FREE : write | LATE));
    default:
      return slots;
  }
}
