import assert from "node:assert";
import type { LogContent } from "../../../src/durability/write-log.ts";

/** The content of a write, which knows how many fragments need it, and that it is of no use once none does. */
export class CountedContent implements LogContent {
  readonly name: string;
  #fragments = 0;
  #freed = false;

  constructor(name: string) {
    this.name = name;
  }

  get fragments(): number {
    return this.#fragments;
  }

  /** Some fragment needed it, and none does any more. */
  get freed(): boolean {
    return this.#freed;
  }

  retain(): void {
    assert(!this.#freed, `${this.name} was freed and is needed again`);
    this.#fragments += 1;
  }

  release(): void {
    assert(this.#fragments > 0, `${this.name} was released more often than retained`);
    this.#fragments -= 1;
    this.#freed = this.#fragments === 0;
  }
}
