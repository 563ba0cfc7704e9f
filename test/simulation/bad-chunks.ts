import type { SeededRandom } from "./seeded-random.ts";
import * as structured from "./structured-wire.ts";
import type { WireChunk } from "./structured-wire.ts";
import * as wire from "./wire.ts";

/** A reply that is to be spoilt. */
export interface Spoilable {
  readonly request: wire.WireRequest;
  /** What a READ would return. */
  readonly data: Buffer;
  /** What a BLOCK_STATUS would say. */
  readonly statuses: readonly WireChunk[];
  readonly diskBytes: number;
}

/** Makes the messages of a reply that breaks the protocol. */
type Spoil = (reply: Spoilable, random: SeededRandom) => readonly Buffer[];

const { chunkBytes, dataChunk, holeChunk, noneChunk, statusChunk } = structured;

function chunked(cookie: bigint, chunks: readonly WireChunk[]): readonly Buffer[] {
  return chunks.map((chunk, index) => chunkBytes(cookie, chunk, index === chunks.length - 1));
}

/** The data in so many chunks. */
function cut({ request: { offset }, data }: Spoilable, pieces: number): WireChunk[] {
  const size = Math.ceil(data.length / pieces);
  const chunks: WireChunk[] = [];
  for (let at = 0; at < data.length; at += size) {
    chunks.push(dataChunk(offset + at, Buffer.from(data.subarray(at, at + size))));
  }
  return chunks;
}

/** A READ of which a part is left out. */
export function withGap(reply: Spoilable, random: SeededRandom): readonly Buffer[] {
  const chunks = random.shuffled(cut(reply, 2 + random.integer(3)));
  const left = random.chance(0.8) ? chunks.slice(1) : [];
  return chunked(reply.request.cookie, left.length === 0 ? [noneChunk()] : left);
}

const OF_READS: Readonly<Record<string, Spoil>> = {
  "leaves a gap": withGap,
  "sends data twice": (reply, random) => {
    const { request, data } = reply;
    const at = random.integer(data.length);
    const again = random.chance(0.5)
      ? holeChunk(request.offset + at, data.length - at)
      : dataChunk(request.offset + at, Buffer.alloc(data.length - at, 0x77));
    return chunked(request.cookie, random.shuffled([...cut(reply, 1 + random.integer(3)), again]));
  },
  "sends data that nobody asked for": (reply, random) => {
    const { offset, length } = reply.request;
    const stray = dataChunk(offset + length + random.integer(3), Buffer.alloc(1 + random.integer(20), 0x77));
    return chunked(reply.request.cookie, random.shuffled([...cut(reply, 2), stray]));
  },
  "answers a READ with a simple reply": ({ request, data }) => [
    Buffer.concat([wire.simpleReply(0, request.cookie), data]),
  ],
  "sends a hole of no bytes": (reply, random) =>
    chunked(reply.request.cookie, random.shuffled([...cut(reply, 2), holeChunk(reply.request.offset, 0)])),
  "sends an empty chunk that is not the last": (reply) => [
    chunkBytes(reply.request.cookie, noneChunk(), false),
    ...chunked(reply.request.cookie, cut(reply, 1)),
  ],
  "sends a chunk of an unknown type": (reply, random) =>
    chunked(
      reply.request.cookie,
      random.shuffled([...cut(reply, 2), { type: random.pick([3, 6, 77]), payload: Buffer.alloc(random.integer(20)) }]),
    ),
  "answers a READ with block status": (reply) =>
    chunked(reply.request.cookie, [...cut(reply, 2), statusChunk(0, [[reply.request.length, 0]])]),
  "sends an error message that is longer than its chunk": (reply) => {
    const error = structured.errorChunk(structured.ERROR, wire.EIO, "no", 0);
    error.payload.writeUInt16BE(500, 4);
    return chunked(reply.request.cookie, [...cut(reply, 2), error]);
  },
};

const OF_STATUSES: Readonly<Record<string, Spoil>> = {
  "leaves a context out": ({ request, statuses }) =>
    chunked(request.cookie, statuses.length > 1 ? statuses.slice(1) : [noneChunk()]),
  "tells of a context twice": ({ request, statuses }) => chunked(request.cookie, [...statuses, ...statuses]),
  "tells of an unknown context": ({ request, statuses }) =>
    chunked(request.cookie, [...statuses, statusChunk(0xdead_beef, [[request.length, 0]])]),
  "sends an extent of no bytes": ({ request, statuses }, random) =>
    chunked(request.cookie, random.shuffled(statuses.map((chunk) => withExtent(chunk, 0)))),
  "sends an extent beyond the end": ({ request, statuses, diskBytes }, random) =>
    chunked(request.cookie, random.shuffled(statuses.map((chunk) => withExtent(chunk, diskBytes + 1)))),
  "answers BLOCK_STATUS with a simple reply": ({ request }) => [wire.simpleReply(0, request.cookie)],
  "answers BLOCK_STATUS with data": ({ request, statuses }) =>
    chunked(request.cookie, [...statuses, dataChunk(request.offset, Buffer.alloc(8))]),
  "sends half an extent": ({ request, statuses }) =>
    chunked(
      request.cookie,
      statuses.map((chunk) => ({ ...chunk, payload: Buffer.concat([chunk.payload, Buffer.alloc(4)]) })),
    ),
};

const OF_OTHERS: Readonly<Record<string, Spoil>> = {
  "answers a command that asks for none with data": ({ request }) =>
    chunked(request.cookie, [dataChunk(request.offset, Buffer.alloc(16, 0x77))]),
  "answers a command that asks for none with a hole": ({ request }) =>
    chunked(request.cookie, [holeChunk(request.offset, 16)]),
};

/** Draws one of the ways to break the protocol that this request offers. */
export function spoiltReply(
  reply: Spoilable,
  random: SeededRandom,
): { readonly how: string; readonly messages: readonly Buffer[] } {
  const { command } = reply.request;
  const ways = command === wire.READ ? OF_READS : command === structured.BLOCK_STATUS ? OF_STATUSES : OF_OTHERS;
  const [how, spoil] = random.pick(Object.entries(ways));
  return { how, messages: spoil(reply, random) };
}

/** A chunk of block status whose extents are followed by another one. */
function withExtent(chunk: WireChunk, lengthBytes: number): WireChunk {
  return { ...chunk, payload: Buffer.concat([chunk.payload, wire.u32(lengthBytes), wire.u32(0)]) };
}
