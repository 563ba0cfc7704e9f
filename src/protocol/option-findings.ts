import { PORTABLE_PAYLOAD_BYTES, TRANSMISSION_FLAG } from "./constants.ts";
import type { Geometry } from "./geometry.ts";
import type { BlockSizes, ExportFields } from "./option-information.ts";

/** What a server has told about an export so far. */
export interface Findings {
  fields?: ExportFields;
  blockSizes?: BlockSizes;
  name?: string | undefined;
  description?: string | undefined;
  /** It agreed to structured replies. */
  structuredReplies?: boolean;
}

/** What "Size constraints" lets a client assume of a server that does not tell. */
const DEFAULT_BLOCK_SIZES: BlockSizes = { minimum: 1, preferred: 4096, maximum: PORTABLE_PAYLOAD_BYTES };

/** What means something here: RESIZE belongs to an extension that is never negotiated. */
const USABLE_FLAGS =
  TRANSMISSION_FLAG.HAS_FLAGS |
  TRANSMISSION_FLAG.READ_ONLY |
  TRANSMISSION_FLAG.SEND_FLUSH |
  TRANSMISSION_FLAG.SEND_FUA |
  TRANSMISSION_FLAG.ROTATIONAL |
  TRANSMISSION_FLAG.SEND_TRIM |
  TRANSMISSION_FLAG.SEND_WRITE_ZEROES |
  TRANSMISSION_FLAG.SEND_DF |
  TRANSMISSION_FLAG.CAN_MULTI_CONN |
  TRANSMISSION_FLAG.SEND_CACHE |
  TRANSMISSION_FLAG.SEND_FAST_ZERO;

/**
 * The geometry of an export with these fields: only flags that mean something here, a payload of at most
 * `PORTABLE_PAYLOAD_BYTES` even from servers that would take more, and sizes that fit each other.
 */
export function geometryFrom(fields: ExportFields, findings: Findings): Geometry {
  const { minimum, preferred, maximum } = findings.blockSizes ?? DEFAULT_BLOCK_SIZES;
  const payloadBytes = Math.min(maximum, PORTABLE_PAYLOAD_BYTES);
  return {
    sizeBytes: fields.sizeBytes,
    flags: usableFlags(fields.flags, findings.structuredReplies === true),
    minimumBlockBytes: minimum,
    preferredBlockBytes: Math.min(preferred, PORTABLE_PAYLOAD_BYTES),
    maximumPayloadBytes: payloadBytes - (payloadBytes % minimum),
    name: findings.name ?? "",
    description: findings.description ?? "",
    contexts: [],
  };
}

/** What a server offers, without what needs something that it does not offer. */
function usableFlags(flags: number, structuredReplies: boolean): number {
  let usable = flags & USABLE_FLAGS;
  if (!structuredReplies) usable &= ~TRANSMISSION_FLAG.SEND_DF;
  if ((usable & TRANSMISSION_FLAG.SEND_WRITE_ZEROES) === 0) usable &= ~TRANSMISSION_FLAG.SEND_FAST_ZERO;
  return usable;
}
