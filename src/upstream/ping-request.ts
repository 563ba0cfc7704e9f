import { COMMAND } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { StandInStep } from "./stand-in.ts";

/** What a ping asks for at least; block devices have no smaller blocks. */
const PING_BYTES = 512;

/** The READ of one block that a server which works answers; undefined where the disk has none. */
export function pingRequest({ sizeBytes, minimumBlockBytes }: Geometry): StandInStep | undefined {
  const length = Math.max(minimumBlockBytes, PING_BYTES);
  if (length > sizeBytes) return undefined;
  return { command: COMMAND.READ, flags: 0, offset: 0, length, payload: [], room: undefined };
}
