import { PORTABLE_PAYLOAD_BYTES, TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";

/** What may be chosen about a disk that we serve ourselves. */
export interface ServedOptions {
  /** Requests that would change the disk are not offered. */
  readonly readOnly?: boolean;
  readonly name?: string;
  readonly description?: string;
  /** A power of two; 1 when absent. The size of the disk should be a multiple of it. */
  readonly minimumBlockBytes?: number;
}

const WRITE_FLAGS =
  TRANSMISSION_FLAG.SEND_FLUSH |
  TRANSMISSION_FLAG.SEND_FUA |
  TRANSMISSION_FLAG.SEND_TRIM |
  TRANSMISSION_FLAG.SEND_WRITE_ZEROES;

/**
 * The geometry of a disk that we serve ourselves: READ always, the requests that write unless it is read-only, and what
 * `extraFlags` adds; BLOCK_STATUS when it has `contexts`. CAN_MULTI_CONN is left to the listener, which knows how many clients
 * it takes.
 */
export function servedGeometry(
  sizeBytes: number,
  options: ServedOptions,
  extraFlags: number,
  contexts: readonly string[] = [],
): Geometry {
  const minimumBlockBytes = options.minimumBlockBytes ?? 1;
  const flags = options.readOnly === true ? TRANSMISSION_FLAG.READ_ONLY : WRITE_FLAGS | extraFlags;
  return {
    sizeBytes,
    flags: TRANSMISSION_FLAG.HAS_FLAGS | flags,
    minimumBlockBytes,
    preferredBlockBytes: Math.max(4096, minimumBlockBytes),
    maximumPayloadBytes: PORTABLE_PAYLOAD_BYTES,
    name: options.name ?? "",
    description: options.description ?? "",
    contexts,
  };
}
