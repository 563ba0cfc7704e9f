import { INITIAL } from "../simulation/block-content.ts";
import { type BlockServer, NOTHING } from "./block-server.ts";
import { MOST_OPERATIONS } from "./operation-kinds.ts";
import { afterEvent, serverKey, withAllSteps } from "./server-paths.ts";
import type { Slots } from "./slots.ts";

/** READs of a history: as many as operations, and the one at its end. */
const READS = MOST_OPERATIONS + 1;

/** How things stand at the server before anything happened. */
export const UNTOUCHED: BlockServer = {
  stable: INITIAL,
  versions: [],
  waiting: 0,
  flushes: [],
  reading: Array<number>(READS).fill(0),
  shown: Array<number>(READS).fill(NOTHING),
  late: false,
};

/** All ways in which things may stand at the server, numbered, and what may become of each: computed once. */
export class ServerTable {
  readonly start: number;
  readonly #servers: BlockServer[] = [];
  readonly #numbers = new Map<string, number>();
  /** By the number of a server: what it becomes with these writes at the server, and by these events. */
  readonly #settled: Map<string, readonly number[]>[] = [];
  readonly #after: Map<number, readonly number[]>[] = [];

  constructor() {
    this.start = this.#number(UNTOUCHED);
  }

  /** The one of that number. */
  get(number: number): BlockServer {
    return this.#servers[number] ?? UNTOUCHED;
  }

  /** What one may become of its own accord, with itself among it. */
  settle(number: number, slots: Slots): readonly number[] {
    const places = slots.join();
    const ways = (this.#settled[number] ??= new Map());
    let settled = ways.get(places);
    if (settled === undefined) {
      const from = [{ server: this.get(number), trail: undefined }];
      settled = withAllSteps(from, slots).map(({ server }) => this.#number(server));
      ways.set(places, settled);
    }
    return settled;
  }

  /** What may become of one by an event. */
  after(number: number, event: number): readonly number[] {
    const events = (this.#after[number] ??= new Map());
    let after = events.get(event);
    if (after === undefined) {
      after = afterEvent([{ server: this.get(number), trail: undefined }], event).map(({ server }) =>
        this.#number(server),
      );
      events.set(event, after);
    }
    return after;
  }

  #number(server: BlockServer): number {
    const key = serverKey(server);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#servers.length;
      this.#numbers.set(key, number);
      this.#servers.push(server);
    }
    return number;
  }
}
