import { BadValue } from "./bad-value.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Parses a size: whole bytes, or with K, M or G (either case) times 1024, 1024² or 1024³. Throws BadValue. */
export function parseSize(text: string): number {
  const match = /^(?<count>\d+)(?<unit>[KMG]?)$/i.exec(text);
  const unitBytes = UNIT_BYTES[match?.groups?.["unit"]?.toUpperCase() ?? "none"];
  if (unitBytes === undefined) throw new BadValue("is not a size, like 65536, 64K, 128M or 2G");
  const sizeBytes = Number(match?.groups?.["count"]) * unitBytes;
  if (!Number.isSafeInteger(sizeBytes)) throw new BadValue("is too large a size");
  return sizeBytes;
}

/** Parses the size of a disk, in bytes: not zero. Throws BadValue. */
export function parseDiskSize(text: string): number {
  const sizeBytes = parseSize(text);
  if (sizeBytes === 0) throw new BadValue("is too small a disk");
  return sizeBytes;
}
