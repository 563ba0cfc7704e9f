import assert from "node:assert";

/** What was asked under a cookie. */
export interface StrictQuestion {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
}

/** What a client of structured replies was told, once it was told everything. */
export interface StrictReply {
  readonly cookie: bigint;
  readonly error: number;
  /** What the error chunk says, and where; "" and undefined without one. */
  readonly text: string;
  readonly errorOffset: number | undefined;
  /** Of a READ that succeeded: zeros where there are holes. */
  readonly data: Buffer;
  /** What came, in order: `simple`, `none`, `data 5@10`, `hole 5@10`, `status 1`, `error`. */
  readonly chunks: readonly string[];
  /** The extents (pairs of length and flags) by context id. */
  readonly statuses: ReadonlyMap<number, readonly (readonly [number, number])[]>;
}

const READ = 0;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;

/** A reply of which more may come. */
class Growing {
  readonly cookie: bigint;
  readonly question: StrictQuestion;
  readonly chunks: string[] = [];
  readonly statuses = new Map<number, [number, number][]>();
  /** Made when there is something to put in: what is refused may claim any length. */
  #data = Buffer.alloc(0);
  #covered = new Uint8Array(0);
  #error = { error: 0, text: "", errorOffset: undefined as number | undefined };
  #content = 0;

  constructor(cookie: bigint, question: StrictQuestion) {
    this.cookie = cookie;
    this.question = question;
  }

  chunk(type: number, done: boolean, payload: Buffer): void {
    const { command, length } = this.question;
    if (type === 0) {
      assert(done && payload.length === 0, "a NONE that is no end");
      this.chunks.push("none");
    } else if (type === 1 || type === 2) {
      assert.equal(command, READ, "content for something else than a READ");
      const size = type === 1 ? payload.length - 8 : payload.readUInt32BE(8);
      assert(type === 1 || payload.length === 12, "a hole with more than its place and size");
      this.#cover(Number(payload.readBigUInt64BE(0)), size, type === 1 ? payload.subarray(8) : undefined);
    } else if (type === 5) this.#status(payload);
    else if (type === 0x8001 || type === 0x8002) this.#failure(payload, type === 0x8002);
    else assert.fail(`a chunk of type ${type}`);
    if (!done || this.#error.error !== 0) return;
    if (command === READ) {
      assert(
        this.#covered.length === length && this.#covered.every((count) => count === 1),
        "a READ that is not covered",
      );
      assert(length > 0 || this.chunks.length === 1, "an empty READ in several chunks");
    } else assert.equal(command, BLOCK_STATUS, "chunks for a command that has nothing to tell");
  }

  end(simpleError = 0): StrictReply {
    const { cookie, chunks, statuses } = this;
    const failure = simpleError === 0 ? this.#error : { error: simpleError, text: "", errorOffset: undefined };
    return { cookie, ...failure, data: failure.error === 0 ? this.#data : Buffer.alloc(0), chunks, statuses };
  }

  #cover(at: number, size: number, bytes: Buffer | undefined): void {
    const { offset, length, flags } = this.question;
    assert(size > 0, "an empty chunk");
    assert(at >= offset && at + size <= offset + length, "content outside of the request");
    if (this.#content === 0) {
      this.#data = Buffer.alloc(length);
      this.#covered = new Uint8Array(length);
    }
    this.#content += 1;
    assert((flags & DF) === 0 || this.#content === 1, "fragments in spite of DF");
    const from = at - offset;
    for (let index = from; index < from + size; index += 1) {
      assert.equal(this.#covered[index], 0, "content that overlaps");
      this.#covered[index] = 1;
    }
    bytes?.copy(this.#data, from);
    this.chunks.push(`${bytes === undefined ? "hole" : "data"} ${size}@${at}`);
  }

  #status(payload: Buffer): void {
    const { command, flags, length } = this.question;
    assert.equal(command, BLOCK_STATUS, "block status that nobody asked for");
    assert(payload.length >= 12 && (payload.length - 4) % 8 === 0, "no whole extents");
    const id = payload.readUInt32BE(0);
    assert(!this.statuses.has(id), "a context twice");
    const extents: [number, number][] = [];
    for (let at = 4; at < payload.length; at += 8)
      extents.push([payload.readUInt32BE(at), payload.readUInt32BE(at + 4)]);
    let position = 0;
    for (const [size] of extents) {
      assert(size > 0, "an empty extent");
      assert(position < length, "an extent behind the end of the request");
      position += size;
    }
    const single = extents.length === 1 && position <= length;
    assert((flags & REQ_ONE) === 0 || single, "more than REQ_ONE wants");
    this.statuses.set(id, extents);
    this.chunks.push(`status ${id}`);
  }

  #failure(payload: Buffer, hasOffset: boolean): void {
    const { offset, length } = this.question;
    const error = payload.readUInt32BE(0);
    const textBytes = payload.readUInt16BE(4);
    assert(error !== 0, "an error that is none");
    assert(textBytes <= 4096, "a text that is too long");
    assert.equal(payload.length, 6 + textBytes + (hasOffset ? 8 : 0), "an error with a wrong length");
    const at = hasOffset ? Number(payload.readBigUInt64BE(6 + textBytes)) : undefined;
    assert(at === undefined || (at >= offset && at < offset + length), "an error outside of the request");
    this.#error = { error, text: payload.toString("utf8", 6, 6 + textBytes), errorOffset: at };
    this.chunks.push("error");
  }
}

/**
 * What a client of structured replies may be told, taken literally: throws at everything that the text forbids, and at what no
 * client should have to expect of a proxy. Questions are asked by cookie; each is answered once. `contextIds` are those selected.
 */
export class StrictReplies {
  /** Whole replies, in the order of their ends. */
  readonly replies: StrictReply[] = [];
  /** Questions that are not wholly answered. */
  readonly open = new Map<bigint, Growing>();
  readonly #contextIds: readonly number[];

  constructor(contextIds: readonly number[] = []) {
    this.#contextIds = contextIds;
  }

  asked(cookie: bigint, question: StrictQuestion): void {
    assert(!this.open.has(cookie), "a cookie that is in use");
    this.open.set(cookie, new Growing(cookie, question));
  }

  /** Takes what is whole at the beginning of `bytes`; returns the rest. */
  parse(bytes: Buffer): Buffer {
    let rest = bytes;
    while (rest.length >= 16) {
      const magic = rest.readUInt32BE(0);
      const cookie = rest.readBigUInt64BE(8);
      const reply = this.open.get(cookie);
      assert(reply !== undefined, "a reply that nobody waits for");
      if (magic === 0x67446698) {
        this.#simple(reply, rest.readUInt32BE(4));
        rest = rest.subarray(16);
        continue;
      }
      assert.equal(magic, 0x668e33ef, "no magic of a reply");
      if (rest.length < 20) break;
      const end = 20 + rest.readUInt32BE(16);
      if (rest.length < end) break;
      const flags = rest.readUInt16BE(4);
      assert(flags <= 1, "chunk flags that do not exist");
      reply.chunk(rest.readUInt16BE(6), flags === 1, rest.subarray(20, end));
      if (flags === 1) this.#end(reply);
      rest = rest.subarray(end);
    }
    return rest;
  }

  #simple(reply: Growing, error: number): void {
    const { command } = reply.question;
    assert(command !== READ, "a simple reply to a READ");
    assert(command !== BLOCK_STATUS || error !== 0, "block status in a simple reply");
    assert.equal(reply.chunks.length, 0, "a simple reply behind chunks");
    reply.chunks.push("simple");
    this.open.delete(reply.cookie);
    this.replies.push(reply.end(error));
  }

  #end(growing: Growing): void {
    const reply = growing.end();
    if (growing.question.command === BLOCK_STATUS && reply.error === 0) {
      const told = [...reply.statuses.keys()].toSorted((one, other) => one - other);
      assert.deepEqual(
        told,
        [...this.#contextIds].toSorted((one, other) => one - other),
        "not the contexts selected",
      );
    }
    this.open.delete(growing.cookie);
    this.replies.push(reply);
  }
}
