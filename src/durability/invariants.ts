import { AssertionError } from "node:assert";

/** A rule that keeps data safe was broken by our own code. Whoever sees it must end the process: going on could lose data. */
export class BrokenInvariant extends AssertionError {
  override readonly name = "BrokenInvariant";
}

/** The rules that are checked while the program runs, everywhere and always. */
export const INVARIANTS = {
  /** Throws BrokenInvariant unless the rule, named as in docs/guarantees.md, holds. */
  check(holds: boolean, rule: string, broken: string): void {
    if (!holds) throw new BrokenInvariant({ message: `invariant ${rule} is broken: ${broken}` });
  },
};
