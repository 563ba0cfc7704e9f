import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { type Message, message, type Part, u16, u32, u64 } from "./message.ts";

const INIT_MAGIC = Buffer.from("NBDMAGIC");
const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const OLDSTYLE_MAGIC = Buffer.from("0000420281861253", "hex");
const OPTION_REPLY_MAGIC = Buffer.from("0003e889045565a9", "hex");
const REPLY_MAGIC = 0x67446698;
const GO = 7;

/** What a server says of its export. */
export interface OfferedExport {
  readonly sizeBytes: number;
  readonly flags: number;
  /** Minimum, preferred, maximum. */
  readonly blocks: readonly [number, number, number] | undefined;
}

/** A reply to an option. */
export function optionReply(type: number, ...data: readonly Part[]): Message {
  const body = message(...data);
  return message(OPTION_REPLY_MAGIC, u32(GO), u32(type), u32(body.bytes.length), body);
}

/** The greeting of a fixed newstyle server. */
function greeting(flags: number): Message {
  return message(INIT_MAGIC, OPTION_MAGIC, u16(flags));
}

/** All that an old-style server says before transmission. */
export function oldstyleHello({ sizeBytes, flags }: OfferedExport): Message {
  return message(INIT_MAGIC, OLDSTYLE_MAGIC, u64(sizeBytes), u16(0), u16(flags), Buffer.alloc(124));
}

/** All that a server says until transmission begins, to a client that asks with GO. */
export function newstyleHello(offered: OfferedExport, random: SeededRandom): Message[] {
  const { sizeBytes, flags, blocks } = offered;
  const told = [optionReply(3, u16(0), u64(sizeBytes), u16(flags))];
  if (blocks !== undefined) told.push(optionReply(3, u16(3), ...blocks.map(u32)));
  if (random.chance(0.3)) told.push(optionReply(3, u16(1), Buffer.from("its own name")));
  if (random.chance(0.3)) told.push(optionReply(3, u16(2), Buffer.from("a description: \u001b[31m äöü")));
  if (random.chance(0.1)) told.push(optionReply(3, u16(77), Buffer.alloc(random.integer(50))));
  return [greeting(3), ...told, optionReply(1)];
}

/** All that a server says that knows EXPORT_NAME only, or refuses. */
function otherHello(offered: OfferedExport, random: SeededRandom): Message[] {
  const { sizeBytes, flags } = offered;
  const fields = message(u64(sizeBytes), u16(flags));
  switch (random.integer(4)) {
    case 0:
      return [greeting(0), fields, message(Buffer.alloc(124))];
    case 1:
      return [greeting(3), optionReply(0x80000001), fields];
    case 2:
      return [greeting(1), optionReply(0x80000001, Buffer.from("unsupported")), fields, message(Buffer.alloc(124))];
    default:
      return [
        greeting(3),
        optionReply(0x80000001 + random.integer(12), Buffer.from("n\u001bo".repeat(random.integer(600)))),
      ];
  }
}

/** Any hello that a server may begin with. */
export function anyHello(offered: OfferedExport, random: SeededRandom): Message[] {
  if (random.chance(0.15)) return [oldstyleHello(offered)];
  return random.chance(0.25) ? otherHello(offered, random) : newstyleHello(offered, random);
}

/** A simple reply, with its data. */
export function simpleReply(error: number, cookie: bigint, data: Buffer): Message {
  return message(u32(REPLY_MAGIC), u32(error), u64(cookie), data);
}
