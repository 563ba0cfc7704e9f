import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { RequestHeader } from "../protocol/request-header.ts";

/** What a command needs: a transmission flag of the export, and which command flags make sense with it. */
interface Rule {
  readonly needs: number;
  readonly flags: number;
  readonly writes: boolean;
  readonly pastEnd: number;
}

const { FUA, NO_HOLE, FAST_ZERO } = COMMAND_FLAG;
const { EINVAL, ENOSPC, EPERM } = NBD_ERROR;

// FUA is accepted on every command, as the text wants it ("Command flags").
const RULES: ReadonlyMap<number, Rule> = new Map([
  [COMMAND.READ, { needs: 0, flags: FUA, writes: false, pastEnd: EINVAL }],
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
]);

/**
 * What a server answers to a request that it need not look at any further: an `NBD_ERROR`, or 0 for one that may go to
 * the disk ("Request types", "Error values", "Size constraints").
 */
export function checkRequest(header: Readonly<RequestHeader>, geometry: Geometry): number {
  const rule = RULES.get(header.command);
  if (rule === undefined || (header.flags & ~rule.flags) !== 0) return EINVAL;
  if (rule.needs !== 0 && (geometry.flags & rule.needs) === 0) return EINVAL;
  if ((header.flags & FUA) !== 0 && (geometry.flags & TRANSMISSION_FLAG.SEND_FUA) === 0) return EINVAL;
  if ((header.flags & FAST_ZERO) !== 0 && (geometry.flags & TRANSMISSION_FLAG.SEND_FAST_ZERO) === 0) return EINVAL;
  if (rule.writes && (geometry.flags & TRANSMISSION_FLAG.READ_ONLY) !== 0) return EPERM;
  if (header.command === COMMAND.FLUSH) return header.offset === 0 && header.length === 0 ? 0 : EINVAL;
  if (header.offset + header.length > geometry.sizeBytes) return rule.pastEnd;
  const unaligned =
    header.offset % geometry.minimumBlockBytes !== 0 || header.length % geometry.minimumBlockBytes !== 0;
  if (unaligned) return EINVAL;
  const carriesData = header.command === COMMAND.READ || header.command === COMMAND.WRITE;
  return carriesData && header.length > geometry.maximumPayloadBytes ? EINVAL : 0;
}
