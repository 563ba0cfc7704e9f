import { BLOCK_EVENT, eventParts, RESULT } from "./block-event.ts";
import type { BlockServer } from "./block-server.ts";
import { type Story, storyAfter, wrongReads, wrongStorage } from "./block-verdict.ts";
import { ServerTable } from "./server-table.ts";
import { slotsAfter, type Slots } from "./slots.ts";

/**
 * What clients saw of a block, and all ways in which things may then stand at the server. Since nothing that the server keeps
 * to itself changes what the proxy does, one run of the proxy is one walk through these, for all of the server's ways
 * at once; and what is known already is not computed again.
 */
export class BlockKnowledge {
  readonly story: Story;
  readonly slots: Slots;
  /** Numbers of the table, in order. */
  readonly servers: readonly number[];
  /** Why that must not be, if so. */
  readonly wrong: string | undefined;
  readonly #base: KnowledgeBase;
  #next: Map<number, BlockKnowledge> | undefined;
  #settled: readonly number[] | undefined;
  #wrongAtEnd: string | undefined;
  #judgedAtEnd = false;

  constructor(base: KnowledgeBase, story: Story, slots: Slots, servers: readonly number[]) {
    this.#base = base;
    this.story = story;
    this.slots = slots;
    this.servers = servers;
    this.wrong = this.#judge();
  }

  /** What is known after one more event. */
  after(event: number): BlockKnowledge {
    let next = this.#next?.get(event);
    if (next === undefined) {
      this.#settled ??= this.#settle();
      const reached = new Set<number>();
      for (const server of this.#settled) {
        for (const one of this.#base.servers.after(server, event)) reached.add(one);
      }
      const story = storyAfter(this.story, event);
      next = this.#base.find(story, slotsAfter(this.slots, event), Array.from(reached).toSorted(ascending));
      (this.#next ??= new Map()).set(event, next);
    }
    return next;
  }

  /** Why this must not be at the end of a history, when nothing is under way and everything is flushed. */
  get wrongAtEnd(): string | undefined {
    if (!this.#judgedAtEnd) {
      this.#judgedAtEnd = true;
      this.#wrongAtEnd = this.#first((server) => wrongStorage(this.story, this.#base.block, server));
    }
    return this.#wrongAtEnd;
  }

  /** All that the servers may become by doing what they were sent. */
  #settle(): readonly number[] {
    const settled = new Set<number>();
    for (const server of this.servers) {
      for (const one of this.#base.servers.settle(server, this.slots)) settled.add(one);
    }
    return Array.from(settled);
  }

  #judge(): string | undefined {
    const { block } = this.#base;
    if (this.servers.length === 0) return "the server can't have answered that: the search is wrong";
    // A late request may have changed what was flushed, until the pin is over: nothing is promised if the proxy dies as well.
    const storage = this.#first((server) => (server.late ? undefined : wrongStorage(this.story, block, server)));
    const { kind, value } = eventParts(this.story.at(-1) ?? 0);
    const isRead = kind === BLOCK_EVENT.ended && value <= RESULT.shown;
    return storage === undefined && isRead ? this.#first((server) => wrongReads(this.story, block, server)) : storage;
  }

  #first(ask: (server: BlockServer) => string | undefined): string | undefined {
    for (const number of this.servers) {
      const answer = ask(this.#base.servers.get(number));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/** Everything that is known of a block, for many histories together. */
export class KnowledgeBase {
  readonly block: number;
  readonly servers = new ServerTable();
  readonly start: BlockKnowledge;
  readonly #known = new Map<string, BlockKnowledge>();

  constructor(block: number) {
    this.block = block;
    this.start = this.find([], [], [this.servers.start]);
  }

  /** How many different things may be known. */
  get size(): number {
    return this.#known.size;
  }

  /** What is the same is one object. `servers` are in order. */
  find(story: Story, slots: Slots, servers: readonly number[]): BlockKnowledge {
    const key = `${story.join()};${slots.join()};${servers.join()}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = new BlockKnowledge(this, story, slots, servers);
      this.#known.set(key, found);
    }
    return found;
  }
}

function ascending(one: number, other: number): number {
  return one - other;
}
