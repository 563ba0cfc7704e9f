import {
  EXPORT_NAME_PADDING_BYTES,
  HANDSHAKE_FLAG,
  MAGIC,
  OPTION,
  OPTION_REPLY,
  STRING_LIMIT_BYTES,
} from "./constants.ts";
import { type Dialogue, read, skip, wait, write } from "./dialogue.ts";
import { escapeText } from "./escape-bytes.ts";
import type { ExportSummary } from "./export-summary.ts";
import type { Geometry } from "./geometry.ts";
import { HandshakeRefused } from "./handshake-refused.ts";
import { answersTo, encodeExportSummary } from "./option-answers.ts";
import { decodeExportQuery } from "./option-export-query.ts";
import { decodeOptionHeader, OPTION_HEADER_BYTES, type OptionHeader } from "./option-header.ts";
import { encodeExportFields } from "./option-information.ts";
import { encodeOptionReply } from "./option-reply.ts";
import { decodeText, encodeText } from "./option-text.ts";
import type { SelectedContext } from "./metadata-context.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

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

/** What is served, and to what limits. A promise that rejects ends the handshake with its error. */
export interface ServerHandshakeOptions<Opened> {
  readonly exports: {
    list(): Promise<readonly ExportSummary[]>;
    /** The export of exactly this name; undefined when there is none. Also called for INFO, which opens nothing. */
    open(name: string): Promise<Opened | undefined>;
  };
  readonly limits: ServerHandshakeLimits;
}

/** What a client has chosen. */
export interface Agreement<Opened> {
  readonly opened: Opened;
  /** The client wants structured replies. */
  readonly structuredReplies: boolean;
  /** The metadata contexts that it wants to hear of, all of them among those of the export's geometry. */
  readonly contexts: readonly SelectedContext[];
}

/** What can be served to a client. */
export interface Served {
  readonly geometry: Geometry;
}

const NO_DATA = Buffer.alloc(0);
const OFFERED_FLAGS = HANDSHAKE_FLAG.FIXED_NEWSTYLE | HANDSHAKE_FLAG.NO_ZEROES;

/** How much of a client's name comes back to it in an error text. */
const ECHOED_NAME_LENGTH = 64;

/**
 * The server's side of the fixed newstyle handshake, from the greeting to the transmission phase. Returns the export
 * that the client chose, undefined when it took leave. Throws ProtocolViolation when the client breaks the protocol and
 * HandshakeRefused when EXPORT_NAME asks for an unknown export, to which closing the connection is the only answer.
 */
export function* serverHandshake<Opened extends Served>(
  options: ServerHandshakeOptions<Opened>,
): Dialogue<Agreement<Opened> | undefined> {
  yield* sendGreeting();
  const clientFlags = yield* receiveClientFlags();
  const { limits } = options;
  for (let count = 0; count < limits.options; count++) {
    const header = decodeOptionHeader(yield* read(OPTION_HEADER_BYTES));
    if (header.option === OPTION.EXPORT_NAME) return simple(yield* serveExportName(header, options, clientFlags));
    if ((clientFlags & HANDSHAKE_FLAG.FIXED_NEWSTYLE) === 0) {
      throw new ProtocolViolation(`option ${header.option} from a client that does not speak fixed newstyle`);
    }
    if (header.lengthBytes > limits.optionSkipBytes) {
      throw new ProtocolViolation(`option ${header.option} claims ${header.lengthBytes} bytes of data`);
    }
    if (header.option === OPTION.ABORT) return yield* sayGoodbye(header);
    const opened = yield* serveOption(header, options);
    if (opened !== undefined) return simple(opened);
  }
  throw new ProtocolViolation(`the client sent more than ${limits.options} options`);
}

function simple<Opened>(opened: Opened): Agreement<Opened> {
  return { opened, structuredReplies: false, contexts: [] };
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
): Dialogue<Opened> {
  if (lengthBytes > STRING_LIMIT_BYTES) throw new ProtocolViolation(`an export name of ${lengthBytes} bytes`);
  const name = decodeText(yield* receiveData(lengthBytes));
  if (name === undefined) throw new ProtocolViolation("an export name that is not UTF-8 or contains NUL");
  const opened = yield* wait(exports.open(name));
  if (opened === undefined) throw new HandshakeRefused(unknownExport(name));

  const padded = (clientFlags & HANDSHAKE_FLAG.NO_ZEROES) === 0;
  const padding = Buffer.alloc(padded ? EXPORT_NAME_PADDING_BYTES : 0);
  yield* write(Buffer.concat([encodeExportFields(opened.geometry), padding]));
  return opened;
}

function* sayGoodbye({ option, lengthBytes }: OptionHeader): Dialogue<undefined> {
  yield* skipData(lengthBytes);
  yield* reply(option, OPTION_REPLY.ACK);
  return undefined;
}

/** Answers an option that can be answered; returns the export when that ends the handshake. */
function* serveOption<Opened extends Served>(
  header: OptionHeader,
  options: ServerHandshakeOptions<Opened>,
): Dialogue<Opened | undefined> {
  const { option, lengthBytes } = header;
  if (lengthBytes > options.limits.optionBytes) {
    yield* skipData(lengthBytes);
    yield* refuse(option, OPTION_REPLY.ERR_TOO_BIG, "the option's data is too long");
    return undefined;
  }
  switch (option) {
    case OPTION.INFO:
    case OPTION.GO:
      return yield* serveExportQuery(header, options);
    case OPTION.LIST:
      yield* serveList(header, options);
      return undefined;
    default:
      yield* skipData(lengthBytes);
      yield* refuse(option, OPTION_REPLY.ERR_UNSUP, "this option is not supported");
      return undefined;
  }
}

/** Answers INFO or GO; returns the export after a GO that succeeded. */
function* serveExportQuery<Opened extends Served>(
  { option, lengthBytes }: OptionHeader,
  { exports }: ServerHandshakeOptions<Opened>,
): Dialogue<Opened | undefined> {
  const query = decodeExportQuery(yield* receiveData(lengthBytes));
  if (query === undefined) {
    yield* refuse(option, OPTION_REPLY.ERR_INVALID, "the option's data is malformed");
    return undefined;
  }
  const opened = yield* wait(exports.open(query.exportName));
  if (opened === undefined) {
    yield* refuse(option, OPTION_REPLY.ERR_UNKNOWN, unknownExport(query.exportName));
    return undefined;
  }
  const replies = answersTo(query, opened.geometry).map((data) => encodeOptionReply(option, OPTION_REPLY.INFO, data));
  yield* write(Buffer.concat([...replies, encodeOptionReply(option, OPTION_REPLY.ACK, NO_DATA)]));
  return option === OPTION.GO ? opened : undefined;
}

function* serveList<Opened>(
  { option, lengthBytes }: OptionHeader,
  { exports }: ServerHandshakeOptions<Opened>,
): Dialogue<void> {
  if (lengthBytes > 0) {
    yield* skipData(lengthBytes);
    yield* refuse(option, OPTION_REPLY.ERR_INVALID, "LIST takes no data");
    return;
  }
  const summaries = yield* wait(exports.list());
  const replies = summaries.map((summary) =>
    encodeOptionReply(option, OPTION_REPLY.SERVER, encodeExportSummary(summary)),
  );
  yield* write(Buffer.concat([...replies, encodeOptionReply(option, OPTION_REPLY.ACK, NO_DATA)]));
}

function unknownExport(name: string): string {
  return `there is no export "${escapeText(name, ECHOED_NAME_LENGTH)}"`;
}

function* reply(option: number, type: number, data: Buffer = NO_DATA): Dialogue<void> {
  yield* write(encodeOptionReply(option, type, data));
}

function* refuse(option: number, type: number, text: string): Dialogue<void> {
  yield* reply(option, type, encodeText(text));
}

/** A driver is never asked for zero bytes. */
function* receiveData(lengthBytes: number): Dialogue<Buffer> {
  return lengthBytes === 0 ? NO_DATA : yield* read(lengthBytes);
}

function* skipData(lengthBytes: number): Dialogue<void> {
  if (lengthBytes > 0) yield* skip(lengthBytes);
}
