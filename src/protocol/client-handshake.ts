import assert from "node:assert";

import { askStructuredReplies } from "./ask-structured-replies.ts";
import {
  EXPORT_NAME_PADDING_BYTES,
  HANDSHAKE_FLAG,
  INFO,
  MAGIC,
  OLDSTYLE_HELLO_BYTES,
  OPTION,
  OPTION_REPLY,
} from "./constants.ts";
import { type Dialogue, read, skip, write } from "./dialogue.ts";
import { escapeText } from "./escape-bytes.ts";
import type { Geometry } from "./geometry.ts";
import { HandshakeRefused } from "./handshake-refused.ts";
import { decodeOldstyleHello } from "./oldstyle-hello.ts";
import { encodeExportQuery } from "./option-export-query.ts";
import { type Findings, geometryFrom } from "./option-findings.ts";
import { encodeOption } from "./option-header.ts";
import { decodeExportFields, decodeInformation, EXPORT_FIELDS_BYTES, type ExportFields } from "./option-information.ts";
import { isErrorReply, optionReplyName } from "./option-reply.ts";
import { encodeText, isProtocolText } from "./option-text.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { receiveOptionReply } from "./receive-option-reply.ts";
import { selectContexts, type SelectContextsLimits } from "./select-contexts.ts";

/** What a client and a server have agreed on. */
export interface Negotiation {
  /** Its `contexts` are those that were selected. */
  readonly geometry: Geometry;
  /** The server answers with structured replies. */
  readonly structuredReplies: boolean;
  /** The selected contexts by the id that the server gave them for this connection. */
  readonly contextNames: ReadonlyMap<number, string>;
}

/** Which export to ask for, and how much patience to have. */
export interface ClientHandshakeOptions {
  /** At most 4096 bytes of UTF-8 without NUL. */
  readonly exportName: string;
  /** What a server may make us read in one handshake, and how many of its metadata contexts are selected. */
  readonly limits: SelectContextsLimits;
}

/** What a server told about an export before it let us in. */
type ExportFindings = Findings & { readonly fields: ExportFields };

const NO_CONTEXTS: ReadonlyMap<number, string> = new Map();

/**
 * The client's side of the handshake, old style or new, from the greeting to the transmission phase: structured replies and
 * metadata contexts when the server has them, then GO, or EXPORT_NAME with servers that don't know it. Throws HandshakeRefused
 * when the server won't serve this export (or can't even be asked for it), ProtocolViolation when it breaks the protocol. A
 * server that refuses EXPORT_NAME just closes the connection.
 */
export function* clientHandshake(options: ClientHandshakeOptions): Dialogue<Negotiation> {
  const { exportName: name, limits } = options;
  assert(isProtocolText(name), "the export's name does not fit into the protocol");
  const greeting = yield* receiveGreeting();
  if (typeof greeting !== "number") return negotiation(oldstyle(greeting, name), false, NO_CONTEXTS);

  const flags = greeting & (HANDSHAKE_FLAG.FIXED_NEWSTYLE | HANDSHAKE_FLAG.NO_ZEROES);
  yield* sendClientFlags(flags);
  const padded = (flags & HANDSHAKE_FLAG.NO_ZEROES) === 0;
  if ((flags & HANDSHAKE_FLAG.FIXED_NEWSTYLE) === 0) {
    return negotiation(geometryFrom(yield* askExportName(name, padded), {}), false, NO_CONTEXTS);
  }
  const structuredReplies = yield* askStructuredReplies(limits);
  const contextNames = structuredReplies ? yield* selectContexts(name, limits) : NO_CONTEXTS;
  const findings = (yield* go(options)) ?? { fields: yield* askExportName(name, padded) };
  return negotiation(
    geometryFrom(findings.fields, { ...findings, structuredReplies }),
    structuredReplies,
    contextNames,
  );
}

function negotiation(
  geometry: Geometry,
  structuredReplies: boolean,
  contextNames: ReadonlyMap<number, string>,
): Negotiation {
  return { geometry: { ...geometry, contexts: [...contextNames.values()] }, structuredReplies, contextNames };
}

/** An old-style server has one export and does not ask which one is wanted. */
function oldstyle(hello: Buffer, wantedName: string): Geometry {
  if (wantedName === "") return decodeOldstyleHello(hello);
  throw new HandshakeRefused(
    `the server speaks old style, which knows no export names like "${escapeText(wantedName)}"`,
  );
}

/** Receives the server's first words and returns its handshake flags, or the whole hello of an old-style server. */
function* receiveGreeting(): Dialogue<number | Buffer> {
  const magics = yield* read(16);
  if (magics.readUInt32BE(0) !== MAGIC.INIT_HIGH || magics.readUInt32BE(4) !== MAGIC.INIT_LOW) {
    throw new ProtocolViolation(`the greeting begins with ${magics.toString("hex", 0, 8)}: this is no NBD server`);
  }
  const high = magics.readUInt32BE(8);
  const low = magics.readUInt32BE(12);
  if (high === MAGIC.OLDSTYLE_HIGH && low === MAGIC.OLDSTYLE_LOW) {
    return Buffer.concat([magics, yield* read(OLDSTYLE_HELLO_BYTES - magics.length)]);
  }
  if (high !== MAGIC.OPTION_HIGH || low !== MAGIC.OPTION_LOW) {
    throw new ProtocolViolation(`the greeting names an unknown style, ${magics.toString("hex", 8)}`);
  }
  return (yield* read(2)).readUInt16BE(0);
}

function* sendClientFlags(flags: number): Dialogue<void> {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(flags, 0);
  yield* write(bytes);
}

/** Asks with GO; undefined when the server doesn't know that option. */
function* go({ exportName: name, limits }: ClientHandshakeOptions): Dialogue<ExportFindings | undefined> {
  const query = { exportName: name, informationTypes: [INFO.NAME, INFO.DESCRIPTION, INFO.BLOCK_SIZE] };
  yield* write(encodeOption(OPTION.GO, encodeExportQuery(query)));

  const findings: Findings = {};
  for (let replies = 0; replies < limits.optionReplies; replies++) {
    const { type, data } = yield* receiveOptionReply(OPTION.GO, limits);
    if (type === OPTION_REPLY.ERR_UNSUP) return undefined;
    if (isErrorReply(type)) return yield* leave(name, type, data);
    if (type === OPTION_REPLY.ACK) return conclude(findings);
    if (type !== OPTION_REPLY.INFO) throw new ProtocolViolation(`GO was answered with ${optionReplyName(type)}`);
    learn(findings, data);
  }
  throw new ProtocolViolation(`GO was answered with more than ${limits.optionReplies} replies`);
}

/** Notes what one INFO reply says; said twice, the later word holds. */
function learn(findings: Findings, data: Buffer): void {
  const information = decodeInformation(data);
  if (information.type === INFO.EXPORT) findings.fields = information;
  else if (information.type === INFO.BLOCK_SIZE) findings.blockSizes = information;
  else if (information.type === INFO.NAME) findings.name = information.text;
  else if (information.type === INFO.DESCRIPTION) findings.description = information.text;
}

function conclude({ fields, ...findings }: Findings): ExportFindings {
  if (fields === undefined) throw new ProtocolViolation("GO was acknowledged without INFO_EXPORT");
  return { ...findings, fields };
}

/** Takes leave politely, then throws what the server's error reply means. */
function* leave(name: string, type: number, data: Buffer): Dialogue<never> {
  yield* write(encodeOption(OPTION.ABORT, Buffer.alloc(0)));
  const said = data.length === 0 ? "" : `: ${escapeText(data.toString("utf8"))}`;
  throw new HandshakeRefused(
    `the server refused the export "${escapeText(name)}" with ${optionReplyName(type)}${said}`,
    type,
  );
}

/** Asks with EXPORT_NAME, whose answer is not an option reply. */
function* askExportName(name: string, padded: boolean): Dialogue<ExportFields> {
  yield* write(encodeOption(OPTION.EXPORT_NAME, encodeText(name)));
  const fields = decodeExportFields(yield* read(EXPORT_FIELDS_BYTES));
  if (padded) yield* skip(EXPORT_NAME_PADDING_BYTES);
  return fields;
}
