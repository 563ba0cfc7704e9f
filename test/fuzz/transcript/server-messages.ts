import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { type Message, message, type Part, u16, u32, u64 } from "./message.ts";

const INIT_MAGIC = Buffer.from("NBDMAGIC");
const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const OLDSTYLE_MAGIC = Buffer.from("0000420281861253", "hex");
const OPTION_REPLY_MAGIC = Buffer.from("0003e889045565a9", "hex");
const REPLY_MAGIC = 0x67446698;
const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST_META_CONTEXT = 9;
const SET_META_CONTEXT = 10;
const ERR_UNSUP = 0x80000001;

/** What a server says of its export. */
export interface OfferedExport {
  readonly sizeBytes: number;
  readonly flags: number;
  /** Minimum, preferred, maximum. */
  readonly blocks: readonly [number, number, number] | undefined;
  /** Whether it has structured replies, and with them these metadata contexts: at most as many as a client selects. */
  readonly structured: boolean;
  readonly contexts: readonly string[];
}

/** A reply to an option. */
export function optionReply(to: number, type: number, ...data: readonly Part[]): Message {
  const body = message(...data);
  return message(OPTION_REPLY_MAGIC, u32(to), u32(type), u32(body.bytes.length), body);
}

/** The data of a reply about a metadata context. */
export function contextData(id: number, name: string): Part[] {
  return [u32(id), Buffer.from(name)];
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
  const told = [optionReply(GO, 3, u16(0), u64(sizeBytes), u16(flags))];
  if (blocks !== undefined) told.push(optionReply(GO, 3, u16(3), ...blocks.map(u32)));
  if (random.chance(0.3)) told.push(optionReply(GO, 3, u16(1), Buffer.from("its own name")));
  if (random.chance(0.3)) told.push(optionReply(GO, 3, u16(2), Buffer.from("a description: \u001b[31m äöü")));
  if (random.chance(0.1)) told.push(optionReply(GO, 3, u16(77), Buffer.alloc(random.integer(50))));
  return [greeting(3), ...extensions(offered, random), ...told, optionReply(GO, 1)];
}

/** What a server says to STRUCTURED_REPLY, and then to LIST_META_CONTEXT and SET_META_CONTEXT where they follow. */
function extensions({ structured, contexts }: OfferedExport, random: SeededRandom): Message[] {
  if (!structured) return [optionReply(STRUCTURED_REPLY, ERR_UNSUP, Buffer.from("unsupported"))];
  const listed = contexts.map((name) =>
    optionReply(LIST_META_CONTEXT, 4, ...contextData(random.pick([0, 0, 7]), name)),
  );
  const list = [optionReply(STRUCTURED_REPLY, 1), ...listed, optionReply(LIST_META_CONTEXT, 1)];
  if (contexts.length === 0) return list;
  const first = random.pick([0, 1, 1000, 0xffff_fff0]);
  const selected = contexts.map((name, index) => optionReply(SET_META_CONTEXT, 4, ...contextData(first + index, name)));
  if (random.chance(0.3)) selected.reverse();
  return [...list, ...selected, optionReply(SET_META_CONTEXT, 1)];
}

/** What a server says that has contexts and then none to give, for one reason or another. */
function refusedExtensions(random: SeededRandom): Message[] {
  const agreed = optionReply(STRUCTURED_REPLY, 1);
  const listed = optionReply(LIST_META_CONTEXT, 4, ...contextData(0, "base:allocation"));
  const error = 0x80000001 + random.integer(12);
  switch (random.integer(3)) {
    case 0:
      return [optionReply(STRUCTURED_REPLY, error)];
    case 1:
      return [agreed, listed, optionReply(LIST_META_CONTEXT, error, Buffer.from("no"))];
    default:
      return [agreed, listed, optionReply(LIST_META_CONTEXT, 1), optionReply(SET_META_CONTEXT, error)];
  }
}

/** All that a server says that knows EXPORT_NAME only, or refuses. */
function otherHello(offered: OfferedExport, random: SeededRandom): Message[] {
  const { sizeBytes, flags } = offered;
  const fields = message(u64(sizeBytes), u16(flags));
  const before = random.chance(0.5) ? extensions(offered, random) : refusedExtensions(random);
  switch (random.integer(5)) {
    case 0:
      return [greeting(0), fields, message(Buffer.alloc(124))];
    case 1:
      return [greeting(3), ...before, optionReply(GO, ERR_UNSUP), fields];
    case 2:
      return [greeting(1), ...before, optionReply(GO, ERR_UNSUP), fields, message(Buffer.alloc(124))];
    case 3:
      return [greeting(3), ...before, optionReply(GO, 3, u16(0), fields), optionReply(GO, 1)];
    default: {
      const text = Buffer.from("n\u001bo".repeat(random.integer(600)));
      return [greeting(3), ...before, optionReply(GO, 0x80000001 + random.integer(12), text)];
    }
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
