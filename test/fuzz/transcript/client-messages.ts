import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { type Message, message, type Part, u16, u32, u64 } from "./message.ts";

const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const REQUEST_MAGIC = 0x25609513;
const OPTIONS = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 255] as const;

/** The export that hostile clients ask for when they ask properly. */
export const EXPORT_NAME = "disk";

/** The client's flags. */
function clientFlags(random: SeededRandom): Message {
  return message(u32(random.pick([3, 3, 3, 3, 1, 2, 0])));
}

/** An option with its data. */
export function option(number: number, ...data: readonly Part[]): Message {
  const body = message(...data);
  return message(OPTION_MAGIC, u32(number), u32(body.bytes.length), body);
}

/** The data of GO and INFO. */
export function exportQuery(name: string, types: readonly number[]): Part[] {
  const text = Buffer.from(name);
  return [u32(text.length), text, u16(types.length), ...types.map(u16)];
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function metadataQuery(name: string, queries: readonly string[]): Part[] {
  return [...string(name), u32(queries.length), ...queries.flatMap(string)];
}

/** A context, or what might be taken for one. */
export function anyContext(random: SeededRandom): string {
  const names = [
    "base:allocation",
    "base:allocation",
    "base:",
    "x-fuzz:mark",
    "x-fuzz:",
    "x-ä:\u0000",
    "",
    ":",
    "none",
  ];
  return random.chance(0.05) ? `x-long:${"n".repeat(random.integer(5000))}` : random.pick(names);
}

function string(text: string): Part[] {
  const bytes = Buffer.from(text);
  return [u32(bytes.length), bytes];
}

/** GO for an export. */
export function go(random: SeededRandom, name: string): Message {
  const types = Array.from({ length: random.integer(5) }, () => random.integer(6));
  return option(7, ...exportQuery(name, types));
}

/** Options that a client may send before it chooses an export. */
function anyOption(random: SeededRandom): Message {
  const number = random.pick(OPTIONS);
  const name = random.pick([
    "",
    EXPORT_NAME,
    "other",
    "ä".repeat(random.integer(40)),
    "x".repeat(random.integer(5000)),
  ]);
  if (number === 6 || number === 7) return option(number, ...exportQuery(name, [0, 1, 2, 3]));
  if (number === 1) return option(number, Buffer.from(name));
  if (number === 9 || number === 10) {
    const count = random.chance(0.05) ? 70 : random.integer(4);
    const names = Array.from({ length: count }, () => anyContext(random));
    return option(number, ...metadataQuery(random.chance(0.7) ? EXPORT_NAME : name, names));
  }
  return random.chance(0.8) ? option(number) : option(number, Buffer.alloc(random.integer(100)));
}

/** What a client says that wants structured replies and contexts, as libnbd and qemu do. */
function extensions(random: SeededRandom): Message[] {
  const structured = option(8);
  if (random.chance(0.2)) return [structured];
  const names = random.pick([["base:allocation"], ["base:allocation", "x-fuzz:mark"], ["x-fuzz:mark", "x-none:"]]);
  const set = option(10, ...metadataQuery(EXPORT_NAME, names));
  return random.chance(0.3) ? [structured, option(9, ...metadataQuery(EXPORT_NAME, [])), set] : [structured, set];
}

/** From flags to the choice of an export, in the new style. */
export function clientHello(random: SeededRandom, size: number): Message[] {
  const before = Array.from({ length: random.chance(0.5) ? 0 : random.integer(size + 1) }, () => anyOption(random));
  const wanted = random.chance(0.6) ? extensions(random) : [];
  const asked = random.chance(0.8) ? [...before, ...wanted] : [...wanted, ...before];
  const choice = random.chance(0.8) ? go(random, EXPORT_NAME) : option(1, Buffer.from(EXPORT_NAME));
  return [clientFlags(random), ...asked, choice];
}

/** What requests of a transcript are about. */
export interface RequestField {
  readonly sizeBytes: number;
  readonly longestBytes: number;
}

/** A request, with its payload when it is a WRITE. */
function request(random: SeededRandom, field: RequestField): Message {
  const command = random.pick([0, 0, 0, 1, 1, 1, 3, 4, 5, 6, 7]);
  const length = random.integer(field.longestBytes + 1);
  const offset = random.integer(Math.max(1, field.sizeBytes - length));
  const flags = random.chance(0.8) ? 0 : random.pick([1, 2, 4, 8, 16, 3, 0xffff]);
  const cookie = BigInt(random.integer(2 ** 32)) << BigInt(random.pick([0, 16, 31]));
  const plain = command === 3;
  const header = [
    u32(REQUEST_MAGIC),
    u16(flags),
    u16(command),
    u64(cookie),
    u64(plain ? 0 : offset),
    u32(plain ? 0 : length),
  ];
  return command === 1 ? message(...header, Buffer.alloc(length, random.integer(256))) : message(...header);
}

/** Requests, and perhaps a good-bye. */
export function requests(random: SeededRandom, field: RequestField, size: number): Message[] {
  const list = Array.from({ length: random.integer(size + 1) }, () => request(random, field));
  if (random.chance(0.3)) list.push(message(u32(REQUEST_MAGIC), u16(0), u16(2), u64(0), u64(0), u32(0)));
  return list;
}
