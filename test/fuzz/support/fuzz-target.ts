import type { SeededRandom } from "../../simulation/seeded-random.ts";

/** Something that is fed hostile input, one seed at a time. */
export interface FuzzTarget {
  readonly name: string;
  /** Who is hostile. */
  readonly role: "client" | "server";
  /** A decoder or dialogue alone, or a whole connection with everything behind it. */
  readonly level: "parser" | "connection";
  /**
   * Runs one input; throws when something is wrong with what became of it. All that happens follows from `random` and
   * `size`, the most messages and mutations that the input may have.
   */
  run(random: SeededRandom, size: number): void | Promise<void>;
}

/** An oracle says no: what it saw, in words. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** The first of what several oracles say, for those who can't throw where they stand. */
export class Findings {
  #first: Error | undefined;

  readonly add = (error: unknown): void => {
    this.#first ??= error instanceof Error ? error : new Finding(String(error));
  };

  /** Throws what was added first. */
  check(): void {
    if (this.#first !== undefined) throw this.#first;
  }
}

/** Says no unless it holds. */
export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Finding(what);
}
