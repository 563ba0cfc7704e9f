import { BASE_ALLOCATION, OPTION, OPTION_REPLY } from "./constants.ts";
import { type Dialogue, write } from "./dialogue.ts";
import { escapeText } from "./escape-bytes.ts";
import { isContextName } from "./metadata-context.ts";
import { encodeOption } from "./option-header.ts";
import { decodeMetadataContext } from "./option-metadata-context.ts";
import { encodeMetadataQuery, type MetadataQuery } from "./option-metadata-query.ts";
import { isErrorReply, optionReplyName } from "./option-reply.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { type OptionReplyLimits, receiveOptionReply } from "./receive-option-reply.ts";

/** How much a server may say, and how many of its contexts are of use. */
export interface SelectContextsLimits extends OptionReplyLimits {
  /** Metadata contexts that are selected. */
  readonly contexts: number;
}

/** One answer to a query about contexts. A name is undefined when it isn't fit to be repeated. */
interface Answer {
  readonly id: number;
  readonly name: string | undefined;
}

/**
 * The client selects the metadata contexts that the server has for an export ("Metadata querying"), `base:allocation` before all
 * others, and returns the selected ones by id, in the order in which it asked for them. None when the server refuses. Throws
 * ProtocolViolation.
 */
export function* selectContexts(
  exportName: string,
  limits: SelectContextsLimits,
): Dialogue<ReadonlyMap<number, string>> {
  const wanted = yield* listContexts(exportName, limits);
  if (wanted.length === 0) return new Map();
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  const accepted = yield* ask(OPTION.SET_META_CONTEXT, { exportName, queries: wanted }, limits, ({ id, name }) => {
    if (name === undefined || !wanted.includes(name)) {
      throw new ProtocolViolation(
        `the server selected the context "${escapeText(name ?? "")}", which nobody asked for`,
      );
    }
    if (ids.has(name)) throw new ProtocolViolation(`the server selected the context "${escapeText(name)}" twice`);
    if (taken.has(id)) throw new ProtocolViolation(`the server gave two contexts the id ${id}`);
    ids.set(name, id);
    taken.add(id);
  });
  const selected = new Map<number, string>();
  for (const name of accepted ? wanted : []) {
    const id = ids.get(name);
    if (id !== undefined) selected.set(id, name);
  }
  return selected;
}

/** The names that are worth asking for: what the server has, as far as it can be asked for and there is room. */
function* listContexts(exportName: string, limits: SelectContextsLimits): Dialogue<readonly string[]> {
  const names = new Set<string>();
  let hasBase = false;
  const listed = yield* ask(OPTION.LIST_META_CONTEXT, { exportName, queries: [] }, limits, ({ name }) => {
    if (name === BASE_ALLOCATION) hasBase = true;
    else if (name !== undefined && isContextName(name) && names.size < limits.contexts) names.add(name);
  });
  if (!listed) return [];
  return [...(hasBase ? [BASE_ALLOCATION] : []), ...names].slice(0, limits.contexts);
}

/** Asks, and hands on each context in the answer; false when the server refuses. */
function* ask(
  option: number,
  query: MetadataQuery,
  limits: OptionReplyLimits,
  take: (answer: Answer) => void,
): Dialogue<boolean> {
  yield* write(encodeOption(option, encodeMetadataQuery(query)));
  for (let replies = 0; replies < limits.optionReplies; replies++) {
    const { type, data } = yield* receiveOptionReply(option, limits);
    if (type === OPTION_REPLY.ACK) return true;
    if (isErrorReply(type)) return false;
    if (type !== OPTION_REPLY.META_CONTEXT) {
      throw new ProtocolViolation(`a query about metadata contexts was answered with ${optionReplyName(type)}`);
    }
    take(decodeMetadataContext(data));
  }
  throw new ProtocolViolation(`a query about metadata contexts got more than ${limits.optionReplies} replies`);
}
