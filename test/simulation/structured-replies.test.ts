import { describe, expect, it } from "vitest";
import { spoiltReply } from "./bad-chunks.ts";
import { UNKNOWN, ZEROS } from "./block-content.ts";
import { blockHistory } from "./block-history.ts";
import { ChunkJudge, type Told } from "./chunk-judge.ts";
import { errorChunks, readChunks, replyMessages } from "./chunked-read.ts";
import { notLinearizable } from "./linearizability.ts";
import { DIRTY_BITMAP } from "./model-contexts.ts";
import { ModelDisk } from "./model-disk.ts";
import { OperationHistory } from "./operation-history.ts";
import { SeededRandom } from "./seeded-random.ts";
import { ServedReply } from "./served-reply.ts";
import { extentsFault, knownBlocks } from "./status-findings.ts";
import * as structured from "./structured-wire.ts";
import * as wire from "./wire.ts";

const BLOCKS = { blocks: 6, blockBytes: 16 };
const CONTEXTS: ReadonlyMap<number, string> = new Map([
  [1, structured.BASE_ALLOCATION],
  [7, DIRTY_BITMAP],
]);
const ORIGIN = { connection: {}, fua: false, tears: false, replied: true };

/** A disk with some blocks of zeros and others. */
function drawDisk(random: SeededRandom): ModelDisk {
  const disk = new ModelDisk(BLOCKS.blocks, BLOCKS.blockBytes, false);
  for (let block = 0; block < BLOCKS.blocks; block += 1) {
    if (random.chance(0.5)) disk.zero(block * BLOCKS.blockBytes, BLOCKS.blockBytes, ORIGIN);
  }
  return disk;
}

function drawRequest(random: SeededRandom, command: number): wire.WireRequest {
  const block = random.integer(BLOCKS.blocks);
  const blocks = 1 + random.integer(BLOCKS.blocks - block);
  const flag = command === wire.READ ? structured.DF : structured.REQ_ONE;
  const [offset, length] = [block * BLOCKS.blockBytes, blocks * BLOCKS.blockBytes];
  return { command, flags: random.pick([0, flag]), cookie: 5n, offset, length };
}

/** What a client makes of messages; a simple reply counts as wrong. */
function judge(request: wire.WireRequest, messages: readonly Buffer[]): Told | string {
  const judged = new ChunkJudge({ request, contexts: CONTEXTS, disk: BLOCKS });
  let told: Told | undefined;
  for (const message of messages) {
    if (message.readUInt32BE(0) !== structured.CHUNK_MAGIC) return "no chunk";
    if (told !== undefined) return "something behind the last chunk";
    try {
      told = judged.take(message.readUInt16BE(4), message.readUInt16BE(6), message.subarray(20));
    } catch (error) {
      return (error as Error).message;
    }
  }
  return told ?? "no last chunk";
}

function read(disk: ModelDisk, { command, offset, length }: wire.WireRequest): Buffer {
  const data = Buffer.alloc(command === wire.READ ? length : 0);
  disk.read(offset, data);
  return data;
}

describe("a structured reply of the model server", () => {
  const random = new SeededRandom(3);
  const agreement = { flags: 0, structured: true, contexts: CONTEXTS };

  it("to a READ is one that a strict client takes, with the data of the disk", () => {
    for (let round = 0; round < 2000; round += 1) {
      const disk = drawDisk(random);
      const request = drawRequest(random, wire.READ);
      const data = read(disk, request);
      const messages = replyMessages(5n, readChunks(request, data, random, BLOCKS.blockBytes), random);
      expect(judge(request, messages)).toMatchObject({ error: 0, data });
    }
  });

  it("that is an error stays one, whatever comes with it", () => {
    for (let round = 0; round < 500; round += 1) {
      const request = drawRequest(random, wire.READ);
      const content = readChunks(request, Buffer.alloc(request.length, 1), random, BLOCKS.blockBytes);
      const known = errorChunks(content, wire.EIO, request.offset, random).filter(({ type }) => type !== 0x9001);
      if (!known.some(({ type }) => type >= 0x8000)) continue;
      expect(judge(request, replyMessages(5n, known, random))).toMatchObject({ error: wire.EIO });
    }
  });

  it("to BLOCK_STATUS tells of zeros only where there are some, and of nothing that is not so", () => {
    const known = new Set<number>();
    for (let round = 0; round < 2000; round += 1) {
      const disk = drawDisk(random);
      const request = drawRequest(random, structured.BLOCK_STATUS);
      const replies = new ServedReply({ agreement, disk, random, gapChance: 0 });
      const outcome = { request, data: Buffer.alloc(0), statuses: replies.statuses(request) };
      const told = judge(request, replies.messages(outcome, 0));
      // It may say more than it should, and the proxy has to leave that out.
      if (typeof told === "string") {
        expect(told).toMatch(/more than one extent|begins behind the range/u);
        continue;
      }
      const allocation = told.statuses.get(structured.BASE_ALLOCATION) ?? [];
      for (const [index, value] of knownBlocks(allocation, request.offset, BLOCKS.blockBytes).entries()) {
        const block = Buffer.alloc(BLOCKS.blockBytes);
        disk.read(request.offset + index * BLOCKS.blockBytes, block);
        if (value === ZEROS) expect(block.equals(Buffer.alloc(BLOCKS.blockBytes))).toBe(true);
        known.add(value);
      }
    }
    expect(known).toEqual(new Set([UNKNOWN, ZEROS]));
  });

  it.each([wire.READ, structured.BLOCK_STATUS, wire.WRITE])(
    "that is spoilt is one that no client takes, command %i",
    (command) => {
      const ways = new Set<string>();
      for (let round = 0; round < 1000; round += 1) {
        const disk = drawDisk(random);
        const request = drawRequest(random, command);
        const replies = new ServedReply({ agreement, disk, random, gapChance: 0 });
        const reply = { request, data: read(disk, request), statuses: replies.statuses(request) };
        const { how, messages } = spoiltReply({ ...reply, diskBytes: disk.sizeBytes }, random);
        ways.add(how);
        expect([how, typeof judge(request, messages)]).toEqual([how, "string"]);
      }
      expect(ways.size).toBeGreaterThan(1);
    },
  );
});

describe("a client's judge", () => {
  const request = { command: wire.READ, flags: 0, cookie: 5n, offset: 16, length: 32 };
  const [first, second] = [structured.dataChunk(16, Buffer.alloc(16, 1)), structured.holeChunk(32, 16)];
  const told = (...chunks: readonly structured.WireChunk[]): Told | string =>
    judge(
      request,
      chunks.map((chunk, index) => structured.chunkBytes(5n, chunk, index === chunks.length - 1)),
    );

  it("takes chunks in any order, and fills holes with zeros", () => {
    const data = Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(16)]);
    expect([told(first, second), told(second, first)]).toMatchObject([{ data }, { data }]);
  });

  it.each<[string, readonly structured.WireChunk[]]>([
    ["does not cover", [first]],
    ["content twice", [first, second, structured.holeChunk(47, 1)]],
    ["outside the range", [first, structured.holeChunk(32, 17)]],
    ["without data", [structured.dataChunk(16, Buffer.alloc(0)), first, second]],
    ["not asked for", [first, structured.statusChunk(1, [[32, 0]])]],
    ["type 36865", [structured.errorChunk(0x9001, wire.EIO, "", 0)]],
    ["error that is none", [structured.errorChunk(structured.ERROR, 0, "", 0)]],
  ])("refuses what %s", (what, chunks) => {
    expect(told(...chunks)).toContain(what);
  });
});

describe("extents", () => {
  const request = { command: structured.BLOCK_STATUS, flags: 0, cookie: 5n, offset: 16, length: 32 };
  const fault = (extents: readonly structured.Extent[], flags = 0): string | undefined =>
    extentsFault(structured.BASE_ALLOCATION, extents, { ...request, flags }, BLOCKS);

  it("may tell of less than the range, and go on behind it up to the end", () => {
    expect([fault([[1, 3]]), fault([[80, 0]])]).toEqual([undefined, undefined]);
    expect(fault([[81, 0]])).toContain("beyond the end");
    expect(
      fault([
        [32, 0],
        [1, 0],
      ]),
    ).toContain("behind the range");
    expect([fault([]), fault([[0, 0]]), fault([[16, 4]])]).not.toContain(undefined);
  });

  it("are one, within the range, with REQ_ONE", () => {
    expect(fault([[32, 0]], structured.REQ_ONE)).toBeUndefined();
    expect(fault([[33, 0]], structured.REQ_ONE)).toContain("a longer one");
  });

  it("tell that a block is zeros when all of it is", () => {
    const known = knownBlocks(
      [
        [8, 2],
        [8, 3],
        [20, 2],
        [4, 0],
        [16, 3],
        [3, 2],
      ],
      16,
      16,
    );
    expect(known).toEqual([ZEROS, ZEROS, UNKNOWN, UNKNOWN]);
  });
});

describe("a block that was said to be zeros", () => {
  it("counts as read", () => {
    const history = new OperationHistory(
      () => 0,
      () => undefined,
    );
    const status = history.begin("A", { kind: "status", block: 0, blocks: 1, value: ZEROS, fua: false });
    status.results.push(UNKNOWN, ZEROS);
    history.finish(status, 0);
    const verdict = (block: number): string | undefined =>
      notLinearizable(blockHistory(history.operations, block, { mayFail: () => false, tears: false }));
    expect(verdict(0)).toBeUndefined();
    // It was told of, though nobody asked.
    expect(verdict(1)).toContain("never written");
    history.finish(history.begin("A", { kind: "zero", block: 1, blocks: 1, value: ZEROS, fua: false }), 0);
    expect(verdict(1)).toContain("before it was written");
  });
});
