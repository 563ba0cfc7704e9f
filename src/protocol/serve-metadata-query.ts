import type { ClientChoices } from "./client-choices.ts";
import { OPTION, OPTION_REPLY } from "./constants.ts";
import { type Dialogue, wait, write } from "./dialogue.ts";
import type { SelectedContext } from "./metadata-context.ts";
import { NO_DATA, receiveOptionData, refuseOption, skipOptionData } from "./option-answer.ts";
import type { OptionHeader } from "./option-header.ts";
import { encodeMetadataContext } from "./option-metadata-context.ts";
import { decodeMetadataQuery, type MetadataQuery } from "./option-metadata-query.ts";
import { encodeOptionReply } from "./option-reply.ts";
import type { Served, ServedExports } from "./served.ts";
import { unknownExport } from "./unknown-export.ts";

/**
 * The server answers LIST_META_CONTEXT or SET_META_CONTEXT ("Option types"). A SET replaces what was selected before, also when
 * it fails.
 */
export function* serveMetadataQuery(
  { option, lengthBytes }: OptionHeader,
  exports: ServedExports<Served>,
  queryLimit: number,
  choices: ClientChoices,
): Dialogue<void> {
  const selects = option === OPTION.SET_META_CONTEXT;
  if (selects) choices.deselect();
  if (!choices.structuredReplies) {
    yield* skipOptionData(lengthBytes);
    return yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "this needs structured replies");
  }
  const query = decodeMetadataQuery(yield* receiveOptionData(lengthBytes));
  if (query === undefined) {
    return yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "the option's data is malformed");
  }
  if (query.queries.length > queryLimit) {
    return yield* refuseOption(option, OPTION_REPLY.ERR_TOO_BIG, `more than ${queryLimit} queries`);
  }
  const opened = yield* wait(exports.open(query.exportName));
  if (opened === undefined) {
    return yield* refuseOption(option, OPTION_REPLY.ERR_UNKNOWN, unknownExport(query.exportName));
  }
  const { contexts } = opened.geometry;
  const found = selects ? selectedBy(query, contexts) : listedBy(query, contexts);
  if (selects) choices.select(query.exportName, found);
  const replies = found.map((one) => encodeOptionReply(option, OPTION_REPLY.META_CONTEXT, encodeMetadataContext(one)));
  yield* write(Buffer.concat([...replies, encodeOptionReply(option, OPTION_REPLY.ACK, NO_DATA)]));
}

/** All contexts when nothing is asked; else those with that name, or, behind a colon at the end, with that beginning. */
function listedBy({ queries }: MetadataQuery, contexts: readonly string[]): SelectedContext[] {
  const matches = (name: string) =>
    queries.some((query) => name === query || (query.endsWith(":") && name.startsWith(query)));
  return contexts.filter((name) => queries.length === 0 || matches(name)).map((name) => ({ id: 0, name }));
}

/** The contexts with exactly these names. No id is 0, which stands for none in a list. */
function selectedBy({ queries }: MetadataQuery, contexts: readonly string[]): SelectedContext[] {
  const wanted = new Set(queries);
  return contexts.filter((name) => wanted.has(name)).map((name, index) => ({ id: index + 1, name }));
}
