import { LIMITS } from "../../../src/limits.ts";

/** What a client has chosen when transmission begins. */
export interface PlainChoices {
  readonly structuredReplies: boolean;
  readonly contexts: readonly string[];
}

/** What is served: which names there are, and which contexts each has. */
interface PlainExports {
  readonly names: readonly string[];
  readonly contexts: readonly string[];
}

/**
 * The choices in all that a client said, read in the plainest way, up to the option that ends the handshake; undefined when there
 * is none that does.
 */
export function choicesIn(bytes: Buffer, served: PlainExports): PlainChoices | undefined {
  let structuredReplies = false;
  let selection: { readonly name: string; readonly contexts: readonly string[] } | undefined;
  for (let at = 4; at + 16 <= bytes.length && bytes.toString("latin1", at, at + 8) === "IHAVEOPT";) {
    const option = bytes.readUInt32BE(at + 8);
    const length = bytes.readUInt32BE(at + 12);
    const data = bytes.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (option === 8 && length === 0) structuredReplies = true;
    if (option === 10)
      selection = structuredReplies && length <= LIMITS.optionBytes ? selected(data, served) : undefined;
    const name = option === 1 ? data.toString("utf8") : option === 7 ? asked(data, served) : undefined;
    if (name === undefined) continue;
    return { structuredReplies, contexts: selection?.name === name ? selection.contexts : [] };
  }
  return undefined;
}

/** The name in the data of a GO that can be served. */
function asked(data: Buffer, { names }: PlainExports): string | undefined {
  if (data.length < 6) return undefined;
  const end = 4 + data.readUInt32BE(0);
  if (end + 2 > data.length || end + 2 + 2 * data.readUInt16BE(end) !== data.length) return undefined;
  const name = data.toString("utf8", 4, end);
  return names.includes(name) ? name : undefined;
}

/** What the data of a SET selects; undefined when it can't be served. */
function selected(data: Buffer, { names, contexts }: PlainExports) {
  const strings: string[] = [];
  let at = 0;
  const next = (): string | undefined => {
    if (at + 4 > data.length) return undefined;
    const from = at + 4;
    const to = from + data.readUInt32BE(at);
    if (to > data.length || to - from > 4096) return undefined;
    at = to;
    const text = data.toString("utf8", from, to);
    return text.includes("\0") || !Buffer.from(text).equals(data.subarray(from, to)) ? undefined : text;
  };
  const name = next();
  if (name === undefined || at + 4 > data.length) return undefined;
  const count = data.readUInt32BE(at);
  at += 4;
  for (let left = count; left > 0; left -= 1) {
    const query = next();
    if (query === undefined) return undefined;
    strings.push(query);
  }
  if (at !== data.length || count > LIMITS.contextQueries || !names.includes(name)) return undefined;
  return { name, contexts: contexts.filter((context) => strings.includes(context)) };
}
