import type { SelectedContext } from "./metadata-context.ts";

/** What a client has chosen by its options so far; it comes into force with the transmission phase. */
export class ClientChoices {
  structuredReplies = false;
  #exportName = "";
  #contexts: readonly SelectedContext[] = [];

  /** The client selects contexts of an export, and no others any more. */
  select(exportName: string, contexts: readonly SelectedContext[]): void {
    this.#exportName = exportName;
    this.#contexts = contexts;
  }

  /** No contexts are selected any more. */
  deselect(): void {
    this.#contexts = [];
  }

  /** What is selected, if it was for an export of this very name. */
  contextsOf(exportName: string): readonly SelectedContext[] {
    return exportName === this.#exportName ? this.#contexts : [];
  }
}
