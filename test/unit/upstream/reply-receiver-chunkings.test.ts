import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Piece, Reply } from "../../../src/disk.ts";
import { cutInto } from "../support/cuts.ts";
import { diskBytes } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { playSession } from "./played-session.ts";
import { request } from "./requests.ts";
import { Asked } from "./structured.ts";

// A disk whose bytes are known is read by several requests at once. The server answers in chunks as it likes.

/** One chunk: so many bytes, data or a hole, sent at its turn. */
const aPart = fc.record({ length: fc.integer({ min: 1, max: 90 }), hole: fc.boolean(), turn: fc.nat() });
const aRead = fc.record({ parts: fc.array(aPart, { minLength: 1, maxLength: 9 }), endsWithNone: fc.boolean() });
const world = {
  reads: fc.array(aRead, { minLength: 1, maxLength: 4 }),
  /** Which request says its next chunk. */
  turns: fc.array(fc.nat(3), { maxLength: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
  slabBytes: fc.constantFrom(100, 256, 1000, 65_536),
};
interface World {
  readonly reads: readonly { readonly parts: readonly Part[]; readonly endsWithNone: boolean }[];
  readonly turns: readonly number[];
  readonly cuts: readonly number[];
  readonly slabBytes: number;
}
interface Part {
  readonly length: number;
  readonly hole: boolean;
  readonly turn: number;
}

/** What a chunk is to say: where, how long, and whether it is a hole. */
interface Said {
  readonly offset: number;
  readonly length: number;
  readonly hole: boolean;
}

/** Does something wrong to the chunks of a request, which are in the order in which they are said. */
type Fault = (said: readonly Said[], pick: number) => readonly Said[];

const AT = 4096;

/** What the disk has there: zeros where the server will speak of a hole. */
function expectedBytes(offset: number, parts: readonly Part[]): Buffer {
  let at = offset;
  return Buffer.concat(
    parts.map(({ hole, length }) => {
      at += length;
      return hole ? Buffer.alloc(length) : diskBytes(at - length, length);
    }),
  );
}

function bytesOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => (piece.kind === "hole" ? Buffer.alloc(piece.lengthBytes) : Buffer.from(piece.slice.bytes()))),
  );
}

/** The sizes of chunks as the pieces have kept them: those of holes are negative. */
function sizesOf(pieces: readonly Piece[]): number[] {
  const sizes: number[] = [];
  for (const piece of pieces) {
    if (piece.kind === "hole") sizes.push(-piece.lengthBytes);
    else if (piece.continues === true) sizes.push((sizes.pop() ?? 0) + piece.slice.length);
    else sizes.push(piece.slice.length);
  }
  return sizes;
}

/** Has everything asked and answered; `fault` happens to the first request. */
async function play({ reads, turns, cuts, slabBytes }: World, fault: Fault = (said) => said, pick = 0) {
  const played = playSession({ contextNames: new Map(), slabBytes, roomBytes: 50 });
  const order: number[] = [];
  const asked = reads.map(({ parts, endsWithNone }, index) => {
    const offset = AT * (index + 1);
    const got: { bytes: Buffer; sizes: number[] }[] = [];
    const complete = ({ error, pieces }: Reply): void => {
      expect(error).toBe(0);
      got.push({ bytes: bytesOf(pieces), sizes: sizesOf(pieces) });
      order.push(index);
    };
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const entry = played.send({ ...request({ offset, length }), complete });
    let at = offset;
    const inOrder = parts.map((part) => {
      at += part.length;
      return { offset: at - part.length, length: part.length, hole: part.hole, turn: part.turn };
    });
    const said = inOrder.toSorted((one, other) => one.turn - other.turn);
    const chunks = chunksOf(new Asked(entry, []), index === 0 ? fault(said, pick) : said, endsWithNone);
    const expected = {
      bytes: expectedBytes(offset, parts),
      sizes: parts.map((part) => (part.hole ? -1 : 1) * part.length),
    };
    return { got, chunks, expected };
  });
  await settle();
  const queues = asked.map(({ chunks }) => [...chunks]);
  const stream: Buffer[] = [];
  for (const turn of turns) stream.push(...(queues[turn % queues.length]?.splice(0, 1) ?? []));
  const ends = [...queues.keys()].filter((index) => (queues[index]?.length ?? 0) > 0);
  for (const index of ends) stream.push(...(queues[index] ?? []));
  for (const bytes of cutInto(Buffer.concat(stream), cuts)) played.stream.say(bytes);
  return { ...played, asked, order };
}

function chunksOf(asked: Asked, said: readonly Said[], endsWithNone: boolean): Buffer[] {
  const chunks = said.map(({ offset, length, hole }, index) => {
    const done = !endsWithNone && index === said.length - 1;
    return hole ? asked.hole(offset, length, done) : asked.data(offset, diskBytes(offset, length), done);
  });
  return endsWithNone || chunks.length === 0 ? [...chunks, asked.none()] : chunks;
}

const changed = (said: readonly Said[], pick: number, change: (one: Said) => readonly Said[]): readonly Said[] =>
  said.flatMap((one, index) => (index === pick % said.length ? change(one) : [one]));

const FAULTS: Readonly<Record<string, Fault>> = {
  "a chunk that is said twice": (said, pick) => changed(said, pick, (one) => [one, one]),
  "a hole over a chunk": (said, pick) => changed(said, pick, (one) => [one, { ...one, hole: true, length: 1 }]),
  "a chunk that is missing": (said, pick) => changed(said, pick, () => []),
  "a chunk that begins too late": (said, pick) =>
    changed(said, pick, (one) =>
      [{ ...one, offset: one.offset + 1, length: one.length - 1 }].filter(({ length }) => length > 0),
    ),
  "a chunk that ends too early": (said, pick) =>
    changed(said, pick, (one) => [{ ...one, length: one.length - 1 }].filter(({ length }) => length > 0)),
  "a chunk that is too long": (said, pick) => changed(said, pick, (one) => [{ ...one, length: one.length + 1 }]),
  "a chunk that begins too early": (said, pick) =>
    changed(said, pick, (one) => [{ ...one, offset: one.offset - 1, length: one.length + 1 }]),
  "a chunk somewhere else": (said, pick) => changed(said, pick, (one) => [{ ...one, offset: one.offset + AT / 2 }]),
};

describe("ReplyReceiver of any chunks, in any order, cut anywhere", () => {
  it("has exactly the bytes of the disk, in the chunks of the server", async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(world), async (made) => {
        const { asked, losses, order, pool } = await play(made);
        expect(losses).toEqual([]);
        expect(order.toSorted((one, other) => one - other)).toEqual([...made.reads.keys()]);
        for (const { got, expected } of asked) expect(got).toEqual([expected]);
        expect(pool.heldBytes).toBe(made.slabBytes);
      }),
      { numRuns: 500 },
    );
  });

  it.each(Object.entries(FAULTS))("finds %s, always", async (_name, fault) => {
    await fc.assert(
      fc.asyncProperty(fc.record(world), fc.nat(), async (made, pick) => {
        const { asked, losses, pool } = await play(made, fault, pick);
        expect(losses).toEqual([expect.stringMatching(/^ProtocolViolation: /)]);
        const [first, ...others] = asked;
        expect(first?.got).toEqual([]);
        for (const { got, expected } of others) expect([[], [expected]]).toContainEqual(got);
        await settle();
        expect(pool.heldBytes).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
