import { COMMAND, COMMAND_FLAG, NBD_ERROR, PORTABLE_PAYLOAD_BYTES, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import type { Agreement } from "../protocol/agreement.ts";

/** What a client has agreed on that decides what it may ask. */
export type Terms = Pick<Agreement<unknown>, "structuredReplies" | "contexts">;

/** What a command needs: a transmission flag of the export, and which command flags make sense with it. */
interface Rule {
  readonly needs: number;
  readonly flags: number;
  readonly writes: boolean;
  readonly pastEnd: number;
}

const { FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO } = COMMAND_FLAG;
const { EINVAL, ENOSPC, EPERM } = NBD_ERROR;

/** A READ up to this length can be answered in one chunk by every server that offers it. */
const UNFRAGMENTED_BYTES = 64 * 1024;

// FUA is accepted on every command, as the text wants it ("Command flags").
const RULE_OF: ReadonlyMap<number, Rule> = new Map([
  [COMMAND.READ, { needs: 0, flags: FUA | DF, writes: false, pastEnd: EINVAL }],
  [COMMAND.WRITE, { needs: 0, flags: FUA, writes: true, pastEnd: ENOSPC }],
  [COMMAND.FLUSH, { needs: TRANSMISSION_FLAG.SEND_FLUSH, flags: FUA, writes: false, pastEnd: EINVAL }],
  [COMMAND.TRIM, { needs: TRANSMISSION_FLAG.SEND_TRIM, flags: FUA, writes: true, pastEnd: EINVAL }],
  [COMMAND.CACHE, { needs: TRANSMISSION_FLAG.SEND_CACHE, flags: FUA, writes: false, pastEnd: EINVAL }],
  [
    COMMAND.WRITE_ZEROES,
    {
      needs: TRANSMISSION_FLAG.SEND_WRITE_ZEROES,
      flags: FUA | NO_HOLE | FAST_ZERO,
      writes: true,
      pastEnd: ENOSPC,
    },
  ],
  [COMMAND.BLOCK_STATUS, { needs: 0, flags: FUA | REQ_ONE, writes: false, pastEnd: EINVAL }],
]);

/** The same by command: looked up for every request, in which a map costs more than the rest of the check. */
const RULES: readonly (Rule | undefined)[] = Array.from({ length: 1 + Math.max(...RULE_OF.keys()) }, (_, command) =>
  RULE_OF.get(command),
);

/**
 * What a server answers to a request that it need not look at any further: an `NBD_ERROR`, or 0 for one that may go to
 * the disk ("Request types", "Error values", "Size constraints"). Payloads that every server must be ready for pass, whatever
 * the disk's maximum is.
 */
export function checkRequest(header: Readonly<RequestHeader>, geometry: Geometry, terms: Terms): number {
  const rule = RULES[header.command];
  if (rule === undefined || (header.flags & ~rule.flags) !== 0) return EINVAL;
  if (!isAgreed(header, geometry, rule, terms)) return EINVAL;
  if (rule.writes && (geometry.flags & TRANSMISSION_FLAG.READ_ONLY) !== 0) return EPERM;
  if (header.command === COMMAND.FLUSH) return header.offset === 0 && header.length === 0 ? 0 : EINVAL;
  if (header.offset + header.length > geometry.sizeBytes) return rule.pastEnd;
  const unaligned =
    header.offset % geometry.minimumBlockBytes !== 0 || header.length % geometry.minimumBlockBytes !== 0;
  if (unaligned) return EINVAL;
  const longestBytes = Math.max(geometry.maximumPayloadBytes, PORTABLE_PAYLOAD_BYTES);
  return carriesData(header.command) && header.length > longestBytes ? EINVAL : 0;
}

/** Whether a command's request or reply carries data of its whole length. */
export function carriesData(command: number): boolean {
  return command === COMMAND.READ || command === COMMAND.WRITE;
}

/** Whether the command and its flags were offered, and agreed on. */
function isAgreed(
  { command, flags, length }: Readonly<RequestHeader>,
  geometry: Geometry,
  rule: Rule,
  terms: Terms,
): boolean {
  const offers = (flag: number): boolean => (geometry.flags & flag) !== 0;
  if (rule.needs !== 0 && !offers(rule.needs)) return false;
  if ((flags & FUA) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FUA)) return false;
  if ((flags & FAST_ZERO) !== 0 && !offers(TRANSMISSION_FLAG.SEND_FAST_ZERO)) return false;
  if ((flags & DF) !== 0 && !terms.structuredReplies) return false;
  return command !== COMMAND.BLOCK_STATUS || (terms.contexts.length > 0 && length > 0);
}

/**
 * The flags with which a request goes to the disk. To a client of simple replies an answer in fragments is of no use, and some
 * servers save themselves looking for holes when they hear that ("NBD_CMD_FLAG_DF").
 */
export function flagsBelow(
  { command, flags, length }: Readonly<RequestHeader>,
  geometry: Geometry,
  terms: Terms,
): number {
  const oneChunk = command === COMMAND.READ && length > 0 && length <= UNFRAGMENTED_BYTES && !terms.structuredReplies;
  return oneChunk && (geometry.flags & TRANSMISSION_FLAG.SEND_DF) !== 0 ? flags | DF : flags;
}
