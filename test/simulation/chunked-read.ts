import type { SeededRandom } from "./seeded-random.ts";
import * as structured from "./structured-wire.ts";
import type { WireChunk } from "./structured-wire.ts";
import type { WireRequest } from "./wire.ts";

/** More chunks than this would be a lot for a short READ. */
const MANY_CUTS = 10;

/** The data of a READ as the model server sends it: cut anywhere, zeros as holes or not, in any order. Never no chunk. */
export function readChunks(
  { offset, length, flags }: WireRequest,
  data: Buffer,
  random: SeededRandom,
  blockBytes: number,
): WireChunk[] {
  const fragments = (flags & structured.DF) === 0 && random.chance(0.7);
  const grain = random.chance(0.7) ? blockBytes : 1;
  const ends = new Set([length]);
  const cuts = fragments ? random.integer(MANY_CUTS) : 0;
  for (let cut = 0; cut < cuts; cut += 1) ends.add((1 + random.integer(Math.ceil(length / grain))) * grain);
  const chunks: WireChunk[] = [];
  let at = 0;
  for (const end of [...ends].filter((one) => one <= length).sort((one, other) => one - other)) {
    const bytes = data.subarray(at, end);
    const hole = isZero(bytes) && random.chance(0.7);
    chunks.push(
      hole ? structured.holeChunk(offset + at, bytes.length) : structured.dataChunk(offset + at, Buffer.from(bytes)),
    );
    at = end;
  }
  return random.chance(0.5) ? chunks : random.shuffled(chunks);
}

/** An error as chunks: a READ may have said something before it, or say it afterwards, and that need not be right. */
export function errorChunks(
  content: readonly WireChunk[],
  error: number,
  offset: number,
  random: SeededRandom,
): WireChunk[] {
  const chunks = random.shuffled(content.filter(() => random.chance(0.5))).map((chunk) => garbled(chunk, random));
  const errors = random.chance(0.9) ? 1 : 2;
  for (let count = 0; count < errors; count += 1) {
    // An error type that nobody knows is an error all the same.
    const type = random.pick([structured.ERROR, structured.ERROR, structured.ERROR_OFFSET, 0x9001]);
    const place = random.integer(chunks.length + 1);
    chunks.splice(place, 0, structured.errorChunk(type, error, random.pick(["", "no such luck"]), offset));
  }
  return chunks;
}

/** The messages of a structured reply. The last one may be an empty chunk that only says so. */
export function replyMessages(cookie: bigint, chunks: readonly WireChunk[], random: SeededRandom): Buffer[] {
  const all = chunks.length === 0 || random.chance(0.2) ? [...chunks, structured.noneChunk()] : chunks;
  return all.map((chunk, index) => structured.chunkBytes(cookie, chunk, index === all.length - 1));
}

/** Whether there is nothing but zeros. */
export function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Content that an error takes back may be anything. */
function garbled(chunk: WireChunk, random: SeededRandom): WireChunk {
  const isData = chunk.type === structured.OFFSET_DATA;
  if (!isData || random.chance(0.3)) return chunk;
  const payload = Buffer.from(chunk.payload);
  payload.fill(0x99, 8);
  return { ...chunk, payload };
}
