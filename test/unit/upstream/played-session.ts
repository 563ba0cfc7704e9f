import { LIMITS } from "../../../src/limits.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { SlabReader } from "../../../src/transport/slab-reader.ts";
import type { Slice } from "../../../src/transport/slice.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { geometry } from "../support/held-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import type { KeptRequest } from "./requests.ts";

/** How long the server of a played session may be silent. */
export const SILENCE_MS = 30_000;

/** Sizes of the memory that a session reads into, and its patience with a server that has nothing to do. */
interface PlayedOptions {
  readonly slabBytes?: number;
  readonly roomBytes?: number;
  readonly idleMs?: number;
  readonly strict?: boolean;
  /** The contexts that are selected, by id. Structured replies are agreed on when there is a map, even an empty one. */
  readonly contextNames?: ReadonlyMap<number, string>;
  readonly sizeBytes?: number;
}

/** An UpstreamSession whose server and whose owner are the test. */
export function playSession({
  slabBytes = LIMITS.slabBytes,
  roomBytes = LIMITS.readRoomBytes,
  idleMs,
  strict = false,
  contextNames,
  sizeBytes = 1024 * 1024,
}: PlayedOptions) {
  const stream = new FakeStream("server");
  const clock = new ManualClock();
  const pool = new SlabPool({ slabBytes, idleSlabs: 4, poison: true });
  const reader = new SlabReader(stream, pool, roomBytes);
  const table = new InFlightTable();
  const losses: string[] = [];
  const shapes: string[] = [];
  const signs: string[] = [];
  const ends: boolean[] = [];
  const negotiation = {
    geometry: geometry({ sizeBytes, contexts: [...(contextNames?.values() ?? [])] }),
    structuredReplies: contextNames !== undefined,
    contextNames: contextNames ?? new Map<number, string>(),
  };
  const session = new UpstreamSession(
    { stream, reader, ...negotiation },
    {
      find: (high, low) => table.find(high, low),
      replied: (entry, reply) => {
        shapes.push(reply.pieces.map((piece) => (piece.kind === "data" ? piece.slice.headroomBytes : "hole")).join());
        table.remove(entry);
        entry.request.complete(reply);
      },
      lost: (_session, why) => losses.push(`${why.name}: ${why.message}`),
      silent: () => signs.push("silent"),
      heardAgain: () => signs.push("heard again"),
      idle: () => signs.push("idle"),
      over: (_session, ended) => ends.push(ended),
    },
    { clock, silenceMs: SILENCE_MS, idleMs, strict },
  );
  session.begin();
  stream.start(reader);
  const send = (asked: KeptRequest, room?: Slice): InFlight => {
    const entry = table.add(asked, undefined);
    session.send(entry, room);
    return entry;
  };
  return { stream, clock, pool, table, losses, shapes, signs, ends, session, send };
}

/** The cookie of a request as it is on the wire. */
export function cookieOf(entry: InFlight): bigint {
  return (BigInt(entry.cookieHigh) << 32n) | BigInt(entry.cookieLow);
}
