import { describe, expect, it } from "vitest";

import { carriesData, checkRequest, flagsBelow, type Terms } from "../../../src/downstream/request-check.ts";
import {
  COMMAND,
  COMMAND_FLAG,
  NBD_ERROR,
  PORTABLE_PAYLOAD_BYTES,
  TRANSMISSION_FLAG,
} from "../../../src/protocol/constants.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import { geometry } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";

const { READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS } = COMMAND;
const { FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO } = COMMAND_FLAG;
const { EINVAL, ENOSPC, EPERM } = NBD_ERROR;
const F = TRANSMISSION_FLAG;
const SIZE = 1024 * 1024;

function header(fields: Partial<RequestHeader>): RequestHeader {
  return { flags: 0, command: READ, cookieHigh: 0, cookieLow: 0, offset: 0, length: 512, ...fields };
}

/** A client of simple replies, one of structured ones, and one that selected a context as well. */
const SIMPLE: Terms = { structuredReplies: false, contexts: [] };
const STRUCTURED: Terms = { structuredReplies: true, contexts: [] };
const CONTEXTS: Terms = { structuredReplies: true, contexts: [{ id: 1, name: "base:allocation" }] };

/** [what it is, the request, the export, the error that is due, what the client agreed on]. */
type Row = readonly [string, Partial<RequestHeader>, Parameters<typeof geometry>[0], number, Terms?];

const without = (flag: number): { readonly flags: number } => ({ flags: ALL_FLAGS & ~flag });
const offersDf = { flags: ALL_FLAGS | F.SEND_DF };
const readOnly = { flags: ALL_FLAGS | F.READ_ONLY };
const blocks = { minimumBlockBytes: 512 };
const LARGEST = PORTABLE_PAYLOAD_BYTES;
const large = { sizeBytes: 2 ** 40 };

const ALLOWED: readonly Row[] = [
  ["READ", { command: READ }, {}, 0],
  ["WRITE", { command: WRITE }, {}, 0],
  ["FLUSH", { command: FLUSH, length: 0 }, {}, 0],
  ["TRIM", { command: TRIM }, {}, 0],
  ["CACHE", { command: CACHE }, {}, 0],
  ["WRITE_ZEROES", { command: WRITE_ZEROES }, {}, 0],
  ["WRITE_ZEROES with all its flags", { command: WRITE_ZEROES, flags: FUA | NO_HOLE | FAST_ZERO }, {}, 0],
  ...[READ, WRITE, TRIM, CACHE, WRITE_ZEROES].map((command): Row => [
    `FUA on ${command}`,
    { command, flags: FUA },
    {},
    0,
  ]),
  ["FUA on BLOCK_STATUS", { command: BLOCK_STATUS, flags: FUA }, {}, 0, CONTEXTS],
  ["BLOCK_STATUS", { command: BLOCK_STATUS }, {}, 0, CONTEXTS],
  ["BLOCK_STATUS with REQ_ONE", { command: BLOCK_STATUS, flags: REQ_ONE }, {}, 0, CONTEXTS],
  [
    "BLOCK_STATUS of the whole disk",
    { command: BLOCK_STATUS, length: SIZE },
    { maximumPayloadBytes: 4096 },
    0,
    CONTEXTS,
  ],
  ["BLOCK_STATUS on a read-only export", { command: BLOCK_STATUS }, readOnly, 0, CONTEXTS],
  ["READ with DF of a client of structured replies, whoever offers it", { flags: DF }, {}, 0, STRUCTURED],
  ["READ with DF and FUA", { flags: DF | FUA }, {}, 0, STRUCTURED],
  ["FUA on FLUSH", { command: FLUSH, flags: FUA, length: 0 }, {}, 0],
  ["nothing at the very end", { offset: SIZE, length: 0 }, {}, 0],
  ["the last byte", { offset: SIZE - 1, length: 1 }, {}, 0],
  ["the whole disk", { command: TRIM, length: SIZE }, {}, 0],
  ["READ on a read-only export", { command: READ }, readOnly, 0],
  ["FLUSH on a read-only export", { command: FLUSH, length: 0 }, readOnly, 0],
  ["CACHE on a read-only export", { command: CACHE }, readOnly, 0],
  ["an aligned READ", { offset: 512, length: 1024 }, blocks, 0],
  ["a READ of 32 MiB, whatever the disk's maximum is", { length: LARGEST }, { ...large, maximumPayloadBytes: 4096 }, 0],
  ["a WRITE of 32 MiB", { command: WRITE, length: LARGEST }, { ...large, maximumPayloadBytes: 4096 }, 0],
  ["a READ of the disk's maximum", { length: 2 * LARGEST }, { ...large, maximumPayloadBytes: 2 * LARGEST }, 0],
  ["TRIM beyond the largest payload", { command: TRIM, length: 8192 }, { maximumPayloadBytes: 4096 }, 0],
  [
    "WRITE_ZEROES beyond the largest payload",
    { command: WRITE_ZEROES, length: 8192 },
    { maximumPayloadBytes: 4096 },
    0,
  ],
];

const REFUSED: readonly Row[] = [
  ["BLOCK_STATUS of a client of simple replies", { command: BLOCK_STATUS }, {}, EINVAL],
  ["BLOCK_STATUS of a client that selected nothing", { command: BLOCK_STATUS }, {}, EINVAL, STRUCTURED],
  ["BLOCK_STATUS of nothing", { command: BLOCK_STATUS, length: 0 }, {}, EINVAL, CONTEXTS],
  ["BLOCK_STATUS beyond the end", { command: BLOCK_STATUS, offset: SIZE - 511 }, {}, EINVAL, CONTEXTS],
  ["BLOCK_STATUS that is not aligned", { command: BLOCK_STATUS, offset: 1 }, blocks, EINVAL, CONTEXTS],
  ["BLOCK_STATUS with DF", { command: BLOCK_STATUS, flags: DF }, {}, EINVAL, CONTEXTS],
  ["BLOCK_STATUS with NO_HOLE", { command: BLOCK_STATUS, flags: NO_HOLE }, {}, EINVAL, CONTEXTS],
  [
    "BLOCK_STATUS with FUA where it is not offered",
    { command: BLOCK_STATUS, flags: FUA },
    without(F.SEND_FUA),
    EINVAL,
    CONTEXTS,
  ],
  ["WRITE with DF", { command: WRITE, flags: DF }, {}, EINVAL, CONTEXTS],
  ["WRITE with REQ_ONE", { command: WRITE, flags: REQ_ONE }, {}, EINVAL, CONTEXTS],
  ["READ with REQ_ONE, of whatever client", { flags: REQ_ONE }, {}, EINVAL, CONTEXTS],
  ["a flag that nobody knows, of whatever client", { flags: 0x8000 }, {}, EINVAL, CONTEXTS],
  ["DF without structured replies, though the server has it", { flags: DF }, offersDf, EINVAL],
  ["RESIZE", { command: 8 }, {}, EINVAL],
  ["a command that nobody knows", { command: 0xffff }, {}, EINVAL],
  ["DISC, which is no request to a disk", { command: DISC, length: 0 }, {}, EINVAL],
  ["READ with NO_HOLE", { flags: NO_HOLE }, {}, EINVAL],
  ["WRITE with FAST_ZERO", { command: WRITE, flags: FAST_ZERO }, {}, EINVAL],
  ["TRIM with NO_HOLE", { command: TRIM, flags: NO_HOLE }, {}, EINVAL],
  ["READ with REQ_ONE", { flags: REQ_ONE }, {}, EINVAL],
  ["a flag that nobody knows", { flags: 0x8000 }, {}, EINVAL],
  ["FUA where it is not offered", { command: WRITE, flags: FUA }, without(F.SEND_FUA), EINVAL],
  ["FAST_ZERO where it is not offered", { command: WRITE_ZEROES, flags: FAST_ZERO }, without(F.SEND_FAST_ZERO), EINVAL],
  ["FLUSH where it is not offered", { command: FLUSH, length: 0 }, without(F.SEND_FLUSH), EINVAL],
  ["TRIM where it is not offered", { command: TRIM }, without(F.SEND_TRIM), EINVAL],
  ["CACHE where it is not offered", { command: CACHE }, without(F.SEND_CACHE), EINVAL],
  ["WRITE_ZEROES where it is not offered", { command: WRITE_ZEROES }, without(F.SEND_WRITE_ZEROES), EINVAL],
  ["FLUSH with a length", { command: FLUSH, length: 1 }, {}, EINVAL],
  ["FLUSH with an offset", { command: FLUSH, offset: 1, length: 0 }, {}, EINVAL],
  ["WRITE on a read-only export", { command: WRITE }, readOnly, EPERM],
  ["TRIM on a read-only export", { command: TRIM }, readOnly, EPERM],
  ["WRITE_ZEROES on a read-only export", { command: WRITE_ZEROES }, readOnly, EPERM],
  ["WRITE beyond the end of a read-only export", { command: WRITE, offset: SIZE }, readOnly, EPERM],
  ["READ beyond the end", { offset: SIZE - 511 }, {}, EINVAL],
  ["WRITE beyond the end", { command: WRITE, offset: SIZE - 511 }, {}, ENOSPC],
  ["WRITE_ZEROES beyond the end", { command: WRITE_ZEROES, offset: SIZE - 511 }, {}, ENOSPC],
  ["TRIM beyond the end", { command: TRIM, offset: SIZE - 511 }, {}, EINVAL],
  ["CACHE beyond the end", { command: CACHE, offset: SIZE - 511 }, {}, EINVAL],
  ["an offset that is no exact number any more", { offset: 2 ** 64, length: 1 }, { sizeBytes: 2 ** 53 - 1 }, EINVAL],
  ["a WRITE there", { command: WRITE, offset: 2 ** 53, length: 1 }, { sizeBytes: 2 ** 53 - 1 }, ENOSPC],
  ["nothing beyond the end", { offset: SIZE + 1, length: 0 }, {}, EINVAL],
  ["an offset that is not aligned", { offset: 1, length: 512 }, blocks, EINVAL],
  ["a length that is not aligned", { offset: 512, length: 511 }, blocks, EINVAL],
  ["a WRITE that is not aligned", { command: WRITE, offset: 512, length: 1 }, blocks, EINVAL],
  ["a READ beyond 32 MiB", { length: LARGEST + 1 }, { ...large, maximumPayloadBytes: 4096 }, EINVAL],
  ["a WRITE beyond 32 MiB", { command: WRITE, length: LARGEST + 1 }, { ...large, maximumPayloadBytes: 4096 }, EINVAL],
  [
    "a READ beyond a larger maximum",
    { length: 2 * LARGEST + 1 },
    { ...large, maximumPayloadBytes: 2 * LARGEST },
    EINVAL,
  ],
];

/** Whose client is not told is one of simple replies. */
function withTerms([name, request, offered, error, terms = SIMPLE]: Row) {
  return [name, request, offered, error, terms] as const;
}

describe("checkRequest", () => {
  it.each(ALLOWED.map(withTerms))("lets %s pass", (_name, request, offered, error, terms) => {
    expect(checkRequest(header(request), geometry(offered), terms)).toBe(error);
  });

  it.each(REFUSED.map(withTerms))("refuses %s", (_name, request, offered, error, terms) => {
    expect(checkRequest(header(request), geometry(offered), terms)).toBe(error);
  });
});

describe("flagsBelow", () => {
  it.each<readonly [string, Partial<RequestHeader>, Parameters<typeof geometry>[0], Terms, number]>([
    ["adds DF to a READ of a simple client", {}, offersDf, SIMPLE, DF],
    ["adds it to other flags", { flags: FUA }, offersDf, SIMPLE, FUA | DF],
    ["adds it up to 64 KiB", { length: 65_536 }, offersDf, SIMPLE, DF],
    ["not beyond, where a server may refuse it", { length: 65_537 }, offersDf, SIMPLE, 0],
    ["not to a READ of nothing", { length: 0 }, offersDf, SIMPLE, 0],
    ["not where the disk does not offer it", {}, {}, SIMPLE, 0],
    ["not for a client of structured replies", {}, offersDf, STRUCTURED, 0],
    ["leaves the DF of such a client, offered or not", { flags: DF }, {}, STRUCTURED, DF],
    ["not to a WRITE", { command: WRITE }, offersDf, SIMPLE, 0],
    ["not to a FLUSH", { command: FLUSH, length: 0 }, offersDf, SIMPLE, 0],
    ["not to BLOCK_STATUS", { command: BLOCK_STATUS, flags: REQ_ONE }, offersDf, CONTEXTS, REQ_ONE],
  ])("%s", (_name, request, offered, terms, flags) => {
    expect(flagsBelow(header(request), geometry(offered), terms)).toBe(flags);
  });
});

describe("carriesData", () => {
  it("is so for READ and WRITE", () => {
    expect([READ, WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS, 99].filter(carriesData)).toEqual([
      READ,
      WRITE,
    ]);
  });
});
