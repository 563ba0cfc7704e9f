import type { Clock, Timer } from "../../src/ports/clock.ts";

/** A call that is due at a virtual moment; those of the same moment run in the order in which they were set. */
class Alarm implements Timer {
  readonly atMs: number;
  readonly order: number;
  callback: (() => void) | undefined;

  constructor(atMs: number, order: number, callback: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }

  isBefore(other: Alarm): boolean {
    return this.atMs < other.atMs || (this.atMs === other.atMs && this.order < other.order);
  }
}

/** Virtual time, and the queue of everything that will happen: it jumps from one alarm to the next. */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  #set = 0;
  /** A binary heap, the next alarm first. */
  readonly #heap: Alarm[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.setAlarm(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** As `setTimer`, at a moment: sums of delays would round differently and reorder what must stay in order. */
  setAlarm(atMs: number, callback: () => void): Timer {
    this.#set += 1;
    const alarm = new Alarm(atMs, this.#set, callback);
    this.#push(alarm);
    return alarm;
  }

  /** Lets the next thing happen; false when nothing will ever happen again. */
  runNext(): boolean {
    for (;;) {
      const alarm = this.#pop();
      if (alarm === undefined) return false;
      const { callback } = alarm;
      if (callback === undefined) continue;
      this.#nowMs = alarm.atMs;
      alarm.callback = undefined;
      callback();
      return true;
    }
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Alarm;
      if (parent.isBefore(alarm)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = alarm;
  }

  #pop(): Alarm | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right?.isBefore(heap[below] as Alarm) === true) below += 1;
      const child = heap[below] as Alarm;
      if (last.isBefore(child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

/** The clock as one part of the simulation sees it, with a count of the timers that this part has running. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that have neither run nor been cancelled. */
  get running(): number {
    return this.#running;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#running += 1;
    let over = false;
    const finish = (): boolean => {
      if (over) return false;
      over = true;
      this.#running -= 1;
      return true;
    };
    const timer = this.#clock.setTimer(delayMs, () => {
      finish();
      callback();
    });
    return {
      cancel: () => {
        if (finish()) timer.cancel();
      },
    };
  }
}
