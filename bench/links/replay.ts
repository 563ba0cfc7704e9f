import assert from "node:assert";

import { NbdClient } from "../../campaign/nbd-client.ts";
import { READ } from "../../test/simulation/wire.ts";
import type { ByteRange } from "./byte-range.ts";
import type { ReadPattern } from "./read-pattern.ts";

/** What came out of a replay. */
export interface Replay {
  readonly seconds: number;
  readonly reads: number;
  readonly bytes: number;
  /** The bytes of the reader that got least, as a part of what each of them got on average. */
  readonly slowestShare: number;
}

/** Where and for how long. */
export interface ReplayOptions {
  readonly port: number;
  /** Where the pattern's area begins. */
  readonly areaOffset: number;
  /** No read begins later than this. */
  readonly limitMs: number;
}

/**
 * Reads a pattern through the server at a port of 127.0.0.1, until it or the time is over. The disk must be nbdkit's pattern:
 * the answers are checked.
 */
export async function replay(pattern: ReadPattern, options: ReplayOptions): Promise<Replay> {
  const connections = pattern.ownConnections ? pattern.readers.length : 1;
  const clients: NbdClient[] = [];
  try {
    while (clients.length < connections) {
      clients.push(await NbdClient.connect({ host: "127.0.0.1", port: options.port }, ""));
    }
    return await readAll(pattern, clients, options);
  } finally {
    for (const client of clients) client.close();
  }
}

async function readAll(
  { readers, depth }: ReadPattern,
  clients: readonly NbdClient[],
  { areaOffset, limitMs }: ReplayOptions,
): Promise<Replay> {
  const startMs = performance.now();
  const counts = readers.map(() => ({ reads: 0, bytes: 0 }));
  const work = readers.flatMap((reader, i) => {
    const client = clients[i % clients.length];
    const count = counts[i];
    assert(client !== undefined && count !== undefined, "every reader has a client");
    const ranges = reader()[Symbol.iterator]();
    return Array.from({ length: depth }, async () => {
      for (let next = ranges.next(); next.done !== true; next = ranges.next()) {
        await readOne(client, { offset: areaOffset + next.value.offset, length: next.value.length });
        count.reads += 1;
        count.bytes += next.value.length;
        if (performance.now() - startMs > limitMs) return;
      }
    });
  });
  await Promise.all(work);
  const bytes = counts.reduce((sum, count) => sum + count.bytes, 0);
  const least = Math.min(...counts.map((count) => count.bytes));
  return {
    seconds: (performance.now() - startMs) / 1000,
    reads: counts.reduce((sum, count) => sum + count.reads, 0),
    bytes,
    slowestShare: (least * counts.length) / bytes,
  };
}

/** The disk holds at every multiple of 8 the number of that place, most significant byte first. */
async function readOne(client: NbdClient, { offset, length }: ByteRange): Promise<void> {
  const { error, data } = await client.request({ command: READ, flags: 0, offset, length });
  if (error !== 0) throw new Error(`a READ at ${offset} was answered with the error ${error}`);
  for (const at of [0, length - 8]) {
    const found = Number(data.readBigUInt64BE(at));
    if (found !== offset + at) throw new Error(`a READ at ${offset + at} was answered with what lies at ${found}`);
  }
}
