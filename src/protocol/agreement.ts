import type { ClientChoices } from "./client-choices.ts";
import type { SelectedContext } from "./metadata-context.ts";
import type { Served } from "./served.ts";

/** What a client and we have agreed on when the transmission phase begins. */
export interface Agreement<Opened> {
  readonly opened: Opened;
  /** The client wants structured replies. */
  readonly structuredReplies: boolean;
  /** The metadata contexts that it wants to hear of, all of them among those of the export's geometry. */
  readonly contexts: readonly SelectedContext[];
}

/**
 * What a client gets that has made these choices and opens an export under this name. Undefined when a context that it was
 * promised is gone: the server behind may have been changed for another one meanwhile.
 */
export function agree<Opened extends Served>(
  opened: Opened,
  exportName: string,
  choices: ClientChoices,
): Agreement<Opened> | undefined {
  const contexts = choices.contextsOf(exportName);
  if (!contexts.every(({ name }) => opened.geometry.contexts.includes(name))) return undefined;
  return { opened, structuredReplies: choices.structuredReplies, contexts };
}
