import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { type Message, message, type Part, u16, u32, u64 } from "./message.ts";

const CHUNK_MAGIC = 0x668e33ef;

/** To which request a chunk belongs, and whether it is the last one. */
export interface ChunkOf {
  readonly cookie: bigint;
  readonly done: boolean;
}

/** A chunk of any type. */
export function chunk({ cookie, done }: ChunkOf, type: number, ...payload: readonly Part[]): Message {
  const body = message(...payload);
  return message(u32(CHUNK_MAGIC), u16(done ? 1 : 0), u16(type), u64(cookie), u32(body.bytes.length), body);
}

/** A chunk with data. */
export function dataChunk(of: ChunkOf, offset: number, data: Buffer): Message {
  return chunk(of, 1, u64(offset), data);
}

/** A chunk with a hole. */
export function holeChunk(of: ChunkOf, offset: number, length: number): Message {
  return chunk(of, 2, u64(offset), u32(length));
}

/** A chunk with the extents of one context: pairs of length and flags. */
export function statusChunk(of: ChunkOf, id: number, extents: readonly (readonly [number, number])[]): Message {
  return chunk(of, 5, u32(id), ...extents.flat().map(u32));
}

/** An error chunk, with an offset where one is given. */
export function errorChunk(of: ChunkOf, error: number, text: Buffer, offset?: number): Message {
  const place = offset === undefined ? [] : [u64(offset)];
  return chunk(of, offset === undefined ? 0x8001 : 0x8002, u32(error), u16(text.length), text, ...place);
}

/** What a server may say of an error. */
export function anyErrorText(random: SeededRandom): Buffer {
  const texts = [
    "",
    "no",
    "größte Not",
    "\u001b[2J\r\n",
    "nul\0nul",
    "t".repeat(random.integer(300)),
    "t".repeat(4096),
  ];
  return random.chance(0.1) ? Buffer.from("c328ff", "hex") : Buffer.from(random.pick(texts));
}

/** A chunk that makes sense by itself, whatever it answers. */
export function anyChunk(of: ChunkOf, random: SeededRandom): Message {
  const offset = random.pick([0, 512, 2 ** 32, 2 ** 53 - 1]);
  switch (random.integer(8)) {
    case 0:
      return chunk({ ...of, done: true }, 0);
    case 1:
    case 2:
      return dataChunk(
        of,
        offset,
        Buffer.alloc(1 + random.integer(random.chance(0.1) ? 3000 : 60), random.integer(256)),
      );
    case 3:
      return holeChunk(of, offset, 1 + random.integer(2 ** 32 - 1));
    case 4:
    case 5:
      return statusChunk(of, random.integer(4), anyExtents(random));
    case 6:
      return errorChunk(of, random.pick([1, 5, 22, 108, 0xffffffff]), anyErrorText(random));
    default:
      return errorChunk(of, 5, anyErrorText(random), offset);
  }
}

function anyExtents(random: SeededRandom): (readonly [number, number])[] {
  const count = 1 + random.integer(random.chance(0.1) ? 200 : 6);
  return Array.from({ length: count }, () => [1 + random.integer(70_000), random.integer(4)] as const);
}
