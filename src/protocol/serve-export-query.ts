import { type Agreement, agree } from "./agreement.ts";
import type { ClientChoices } from "./client-choices.ts";
import { INFO, OPTION, OPTION_REPLY, PORTABLE_BLOCK_BYTES } from "./constants.ts";
import { type Dialogue, wait, write } from "./dialogue.ts";
import type { Geometry } from "./geometry.ts";
import { NO_DATA, receiveOptionData, refuseOption } from "./option-answer.ts";
import { answersTo } from "./option-answers.ts";
import { decodeExportQuery, type ExportQuery } from "./option-export-query.ts";
import type { OptionHeader } from "./option-header.ts";
import { encodeOptionReply } from "./option-reply.ts";
import type { Served, ServedExports } from "./served.ts";
import { shownFlags } from "./shown-flags.ts";
import { unknownExport } from "./unknown-export.ts";

/**
 * The server answers INFO or GO ("Option types"); returns what was agreed on after a GO that succeeded. INFO tells a client
 * that does not care for block sizes when it would have to; GO lets it pass, since nbd-client never asks and may well keep to
 * the sizes, and else its requests are refused.
 */
export function* serveExportQuery<Opened extends Served>(
  { option, lengthBytes }: OptionHeader,
  exports: ServedExports<Opened>,
  choices: ClientChoices,
): Dialogue<Agreement<Opened> | undefined> {
  const query = decodeExportQuery(yield* receiveOptionData(lengthBytes));
  if (query === undefined) {
    yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "the option's data is malformed");
    return undefined;
  }
  const opened = yield* wait(exports.open(query.exportName));
  if (opened === undefined) {
    yield* refuseOption(option, OPTION_REPLY.ERR_UNKNOWN, unknownExport(query.exportName));
    return undefined;
  }
  if (option === OPTION.INFO && needsBlockSizes(query, opened.geometry)) {
    const asked = { ...query, informationTypes: [...query.informationTypes, INFO.BLOCK_SIZE] };
    yield* write(informationReplies(option, asked, opened.geometry, choices));
    yield* refuseOption(option, OPTION_REPLY.ERR_BLOCK_SIZE_REQD, "ask for INFO_BLOCK_SIZE, and keep to it");
    return undefined;
  }
  const agreement = agree(opened, query.exportName, choices);
  if (agreement === undefined) {
    yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "a selected metadata context is gone");
    return undefined;
  }
  const replies = informationReplies(option, query, opened.geometry, choices);
  yield* write(Buffer.concat([replies, encodeOptionReply(option, OPTION_REPLY.ACK, NO_DATA)]));
  return option === OPTION.GO ? agreement : undefined;
}

/** Whether a client asks for an export without its block sizes, though they are not what it may assume ("Size constraints"). */
function needsBlockSizes({ informationTypes }: ExportQuery, { minimumBlockBytes }: Geometry): boolean {
  return minimumBlockBytes > PORTABLE_BLOCK_BYTES && !informationTypes.includes(INFO.BLOCK_SIZE);
}

function informationReplies(
  option: number,
  query: ExportQuery,
  geometry: Geometry,
  { structuredReplies }: ClientChoices,
): Buffer {
  const shown = { ...geometry, flags: shownFlags(geometry.flags, structuredReplies) };
  return Buffer.concat(answersTo(query, shown).map((data) => encodeOptionReply(option, OPTION_REPLY.INFO, data)));
}
