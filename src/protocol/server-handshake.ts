import { type Agreement, agree } from "./agreement.ts";
import { ClientChoices } from "./client-choices.ts";
import {
  EXPORT_NAME_PADDING_BYTES,
  HANDSHAKE_FLAG,
  MAGIC,
  OPTION,
  OPTION_REPLY,
  STRING_LIMIT_BYTES,
} from "./constants.ts";
import { type Dialogue, read, wait, write } from "./dialogue.ts";
import { HandshakeRefused } from "./handshake-refused.ts";
import { answerOption, NO_DATA, receiveOptionData, refuseOption, skipOptionData } from "./option-answer.ts";
import { encodeExportSummary } from "./option-answers.ts";
import { decodeOptionHeader, OPTION_HEADER_BYTES, type OptionHeader } from "./option-header.ts";
import { encodeExportFields } from "./option-information.ts";
import { encodeOptionReply } from "./option-reply.ts";
import { decodeText } from "./option-text.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { serveExportQuery } from "./serve-export-query.ts";
import { serveMetadataQuery } from "./serve-metadata-query.ts";
import type { Served, ServedExports } from "./served.ts";
import { shownFlags } from "./shown-flags.ts";
import { unknownExport } from "./unknown-export.ts";

/** What a client may make us read in one handshake. */
export interface ServerHandshakeLimits {
  /** Option data that is read; longer is skipped and answered ERR_TOO_BIG. */
  readonly optionBytes: number;
  /** Option data that is skipped; longer ends the connection. */
  readonly optionSkipBytes: number;
  /** Options in one negotiation. */
  readonly options: number;
  /** Queries in one option about metadata contexts. */
  readonly contextQueries: number;
}

/** What is served, and to what limits. */
export interface ServerHandshakeOptions<Opened> {
  readonly exports: ServedExports<Opened>;
  readonly limits: ServerHandshakeLimits;
}

const OFFERED_FLAGS = HANDSHAKE_FLAG.FIXED_NEWSTYLE | HANDSHAKE_FLAG.NO_ZEROES;

/**
 * The server's side of the fixed newstyle handshake, from the greeting to the transmission phase. Returns the export
 * that the client chose, undefined when it took leave. Throws ProtocolViolation when the client breaks the protocol and
 * HandshakeRefused when EXPORT_NAME asks for what can't be had, to which closing the connection is the only answer.
 */
export function* serverHandshake<Opened extends Served>(
  options: ServerHandshakeOptions<Opened>,
): Dialogue<Agreement<Opened> | undefined> {
  yield* sendGreeting();
  const clientFlags = yield* receiveClientFlags();
  const choices = new ClientChoices();
  const { limits } = options;
  for (let count = 0; count < limits.options; count++) {
    const header = decodeOptionHeader(yield* read(OPTION_HEADER_BYTES));
    if (header.option === OPTION.EXPORT_NAME) return yield* serveExportName(header, options, clientFlags, choices);
    if ((clientFlags & HANDSHAKE_FLAG.FIXED_NEWSTYLE) === 0) {
      throw new ProtocolViolation(`option ${header.option} from a client that does not speak fixed newstyle`);
    }
    if (header.lengthBytes > limits.optionSkipBytes) {
      throw new ProtocolViolation(`option ${header.option} claims ${header.lengthBytes} bytes of data`);
    }
    if (header.option === OPTION.ABORT) return yield* sayGoodbye(header);
    const agreement = yield* serveOption(header, options, choices);
    if (agreement !== undefined) return agreement;
  }
  throw new ProtocolViolation(`the client sent more than ${limits.options} options`);
}

/**
 *     0          8          16      18
 *     | NBDMAGIC | IHAVEOPT | flags |
 */
function* sendGreeting(): Dialogue<void> {
  const bytes = Buffer.allocUnsafe(18);
  bytes.writeUInt32BE(MAGIC.INIT_HIGH, 0);
  bytes.writeUInt32BE(MAGIC.INIT_LOW, 4);
  bytes.writeUInt32BE(MAGIC.OPTION_HIGH, 8);
  bytes.writeUInt32BE(MAGIC.OPTION_LOW, 12);
  bytes.writeUInt16BE(OFFERED_FLAGS, 16);
  yield* write(bytes);
}

function* receiveClientFlags(): Dialogue<number> {
  const flags = (yield* read(4)).readUInt32BE(0);
  if ((flags & ~OFFERED_FLAGS) !== 0) {
    throw new ProtocolViolation(`the client flags 0x${flags.toString(16)} contain some that were not offered`);
  }
  return flags;
}

/** Receives the name that is the option's whole data and answers without an option reply. */
function* serveExportName<Opened extends Served>(
  { lengthBytes }: OptionHeader,
  { exports }: ServerHandshakeOptions<Opened>,
  clientFlags: number,
  choices: ClientChoices,
): Dialogue<Agreement<Opened>> {
  if (lengthBytes > STRING_LIMIT_BYTES) throw new ProtocolViolation(`an export name of ${lengthBytes} bytes`);
  const name = decodeText(yield* receiveOptionData(lengthBytes));
  if (name === undefined) throw new ProtocolViolation("an export name that is not UTF-8 or contains NUL");
  const opened = yield* wait(exports.open(name));
  if (opened === undefined) throw new HandshakeRefused(unknownExport(name));
  const agreement = agree(opened, name, choices);
  if (agreement === undefined) throw new HandshakeRefused("a selected metadata context is gone");

  const padded = (clientFlags & HANDSHAKE_FLAG.NO_ZEROES) === 0;
  const padding = Buffer.alloc(padded ? EXPORT_NAME_PADDING_BYTES : 0);
  const { sizeBytes, flags } = opened.geometry;
  const fields = encodeExportFields({ sizeBytes, flags: shownFlags(flags, choices.structuredReplies) });
  yield* write(Buffer.concat([fields, padding]));
  return agreement;
}

function* sayGoodbye({ option, lengthBytes }: OptionHeader): Dialogue<undefined> {
  yield* skipOptionData(lengthBytes);
  yield* answerOption(option, OPTION_REPLY.ACK);
  return undefined;
}

/** Answers an option that can be answered; returns what was agreed on when that ends the handshake. */
function* serveOption<Opened extends Served>(
  header: OptionHeader,
  { exports, limits }: ServerHandshakeOptions<Opened>,
  choices: ClientChoices,
): Dialogue<Agreement<Opened> | undefined> {
  const { option, lengthBytes } = header;
  if (lengthBytes > limits.optionBytes) {
    if (option === OPTION.SET_META_CONTEXT) choices.deselect();
    yield* skipOptionData(lengthBytes);
    yield* refuseOption(option, OPTION_REPLY.ERR_TOO_BIG, "the option's data is too long");
    return undefined;
  }
  switch (option) {
    case OPTION.INFO:
    case OPTION.GO:
      return yield* serveExportQuery(header, exports, choices);
    case OPTION.LIST:
      yield* serveList(header, exports);
      return undefined;
    case OPTION.STRUCTURED_REPLY:
      yield* serveStructuredReply(header, choices);
      return undefined;
    case OPTION.LIST_META_CONTEXT:
    case OPTION.SET_META_CONTEXT:
      yield* serveMetadataQuery(header, exports, limits.contextQueries, choices);
      return undefined;
    default:
      yield* skipOptionData(lengthBytes);
      yield* refuseOption(option, OPTION_REPLY.ERR_UNSUP, "this option is not supported");
      return undefined;
  }
}

function* serveStructuredReply({ option, lengthBytes }: OptionHeader, choices: ClientChoices): Dialogue<void> {
  if (lengthBytes > 0) {
    yield* skipOptionData(lengthBytes);
    return yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "STRUCTURED_REPLY takes no data");
  }
  choices.structuredReplies = true;
  yield* answerOption(option, OPTION_REPLY.ACK);
}

function* serveList({ option, lengthBytes }: OptionHeader, exports: ServedExports<Served>): Dialogue<void> {
  if (lengthBytes > 0) {
    yield* skipOptionData(lengthBytes);
    return yield* refuseOption(option, OPTION_REPLY.ERR_INVALID, "LIST takes no data");
  }
  const summaries = yield* wait(exports.list());
  const replies = summaries.map((summary) =>
    encodeOptionReply(option, OPTION_REPLY.SERVER, encodeExportSummary(summary)),
  );
  yield* write(Buffer.concat([...replies, encodeOptionReply(option, OPTION_REPLY.ACK, NO_DATA)]));
}
