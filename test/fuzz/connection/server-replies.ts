import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { pattern, PATTERN_BYTES } from "../support/pattern.ts";
import {
  anyErrorText,
  chunk,
  type ChunkOf,
  dataChunk,
  errorChunk,
  holeChunk,
  statusChunk,
} from "../transcript/chunk-messages.ts";
import type { Message } from "../transcript/message.ts";
import { simpleReply } from "../transcript/server-messages.ts";
import type { ServerHello } from "./server-hello.ts";
import type { WireRequest } from "./wire-parser.ts";

const READ = 0;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;
const ERRORS = [1, 5, 12, 22, 28, 108, 75, 0x7fffffff, 0xffffffff] as const;

/** What a server has agreed on with those whom it answers. */
export type Speech = Pick<ServerHello, "structured" | "contexts" | "sizeBytes">;

/** The answer to a request, in one message or in several: a good one, and from a hostile server now and then another. */
export function answerTo(request: WireRequest, speech: Speech, random: SeededRandom, hostile: boolean): Message[] {
  const { command, cookie, offset, length } = request;
  const error = hostile && random.chance(0.1) ? random.pick(ERRORS) : 0;
  const right = command === READ && error === 0 ? pattern(offset % PATTERN_BYTES, length) : Buffer.alloc(0);
  const data = hostile && random.chance(0.1) ? Buffer.alloc(right.length, random.integer(256)) : right;
  const last = { cookie, done: true };
  if (!speech.structured) return [simpleReply(error, cookie, data)];
  if (error !== 0) return failure(request, error, random);
  if (command === READ) return content(request, data, random);
  if (command === BLOCK_STATUS) return statuses(request, speech, random, hostile);
  return [random.chance(0.9) ? simpleReply(0, cookie, data) : chunk(last, 0)];
}

/** An error, for a READ perhaps behind a part of its content. */
function failure({ command, cookie, offset, length }: WireRequest, error: number, random: SeededRandom): Message[] {
  if (command !== READ && random.chance(0.4)) return [simpleReply(error, cookie, Buffer.alloc(0))];
  const done = random.chance(0.7);
  const place = random.pick([undefined, offset, offset + length]);
  const said = [errorChunk({ cookie, done }, error, anyErrorText(random), place)];
  if (command === READ && length > 1 && random.chance(0.4)) {
    said.unshift(dataChunk({ cookie, done: false }, offset, Buffer.alloc(1 + random.integer(length - 1), 7)));
  }
  if (done) return said;
  // The first error counts, whatever else is said.
  if (random.chance(0.3)) said.push(errorChunk({ cookie, done: false }, random.pick(ERRORS), anyErrorText(random)));
  return [...said, chunk({ cookie, done: true }, 0)];
}

/** The content of a READ in chunks, in any order; a server may take what it likes for a hole. */
function content({ cookie, flags, offset, length }: WireRequest, data: Buffer, random: SeededRandom): Message[] {
  const of = (done: boolean): ChunkOf => ({ cookie, done });
  const borders = new Set([0, length]);
  const cuts = (flags & DF) === 0 && random.chance(0.6) ? random.integer(5) : 0;
  for (let count = cuts; count > 0; count -= 1) borders.add(random.integer(length + 1));
  const sorted = [...borders].toSorted((one, other) => one - other);
  const ranges = sorted.slice(1).map((end, index) => [sorted[index] ?? 0, end] as const);
  if (random.chance(0.4)) ranges.reverse();
  const endsWithNone = ranges.length === 0 || random.chance(0.3);
  const said = ranges.map(([from, to], index) => {
    const place = of(!endsWithNone && index === ranges.length - 1);
    if (random.chance(0.15)) return holeChunk(place, offset + from, to - from);
    return dataChunk(place, offset + from, data.subarray(from, to));
  });
  return endsWithNone ? [...said, chunk(of(true), 0)] : said;
}

/** What every selected context says of a range. */
function statuses(request: WireRequest, speech: Speech, random: SeededRandom, hostile: boolean): Message[] {
  const { cookie } = request;
  const ids = [...speech.contexts.keys()];
  if (random.chance(0.3)) ids.reverse();
  const endsWithNone = ids.length === 0 || random.chance(0.2);
  const said = ids.map((id, index) => {
    const done = !endsWithNone && index === ids.length - 1;
    return statusChunk({ cookie, done }, id, extents(request, speech.sizeBytes ?? 0, random, hostile));
  });
  return endsWithNone ? [...said, chunk({ cookie, done: true }, 0)] : said;
}

/** Extents of any length; they may end anywhere behind their beginning, and those of an honest server within the export. */
function extents(
  { flags, offset, length }: WireRequest,
  sizeBytes: number,
  random: SeededRandom,
  hostile: boolean,
): (readonly [number, number])[] {
  const one = (flags & REQ_ONE) !== 0 && !(hostile && random.chance(0.3));
  const list: (readonly [number, number])[] = [];
  let left = one ? length : Math.max(1, sizeBytes - offset);
  for (let count = one ? 1 : 1 + random.integer(6); count > 0 && left > 0; count -= 1) {
    const bytes = 1 + random.integer(Math.min(left, 2 * length));
    list.push([hostile && random.chance(0.02) ? 0 : bytes, random.integer(hostile ? 2 ** 32 : 4)]);
    left -= bytes;
  }
  return list;
}
