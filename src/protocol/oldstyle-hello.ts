import { MAGIC, OLDSTYLE_HELLO_BYTES } from "./constants.ts";
import type { Geometry } from "./geometry.ts";
import { geometryFrom } from "./option-findings.ts";
import { decodeExportSize } from "./option-information.ts";
import { shownFlags } from "./shown-flags.ts";

const SIZE_AT = 16;
const FLAGS_AT = 26;

/**
 * What an old-style server says, all at once, and the client answers nothing ("Oldstyle negotiation"):
 *
 *     0          8             16     24          26      28           152
 *     | NBDMAGIC | cliserv magic | size | reserved | flags | 124 zeros |
 *
 * Old servers send no flags at all: then only READ and WRITE are offered. The hello must be whole.
 */
export function decodeOldstyleHello(hello: Buffer): Geometry {
  const sizeBytes = decodeExportSize(hello.subarray(SIZE_AT));
  return { ...geometryFrom({ sizeBytes, flags: hello.readUInt16BE(FLAGS_AT) }, {}), oldstyleHello: hello };
}

/** The hello for a disk: that of its own old-style server, or one made from what the disk offers. */
export function encodeOldstyleHello(geometry: Geometry): Buffer {
  if (geometry.oldstyleHello !== undefined) return geometry.oldstyleHello;
  const hello = Buffer.alloc(OLDSTYLE_HELLO_BYTES);
  hello.writeUInt32BE(MAGIC.INIT_HIGH, 0);
  hello.writeUInt32BE(MAGIC.INIT_LOW, 4);
  hello.writeUInt32BE(MAGIC.OLDSTYLE_HIGH, 8);
  hello.writeUInt32BE(MAGIC.OLDSTYLE_LOW, 12);
  hello.writeBigUInt64BE(BigInt(geometry.sizeBytes), SIZE_AT);
  hello.writeUInt16BE(shownFlags(geometry.flags, false), FLAGS_AT);
  return hello;
}
