import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { exportQuery, metadataQuery, option } from "../transcript/client-messages.ts";
import { message, type Message, u16, u32, u64 } from "../transcript/message.ts";
import { expectThat } from "../support/fuzz-target.ts";
import type { FuzzPeer, FuzzStream } from "../support/fuzz-stream.ts";
import { pattern } from "../support/pattern.ts";
import { type Asked, ChunkedAnswer } from "./chunked-answer.ts";
import { FUZZ_CONTEXTS, saysSo } from "./fuzz-contexts.ts";
import { DISK_BYTES } from "./guarded-disk.ts";

/** Yields how many bytes it needs next, and gets them. */
type Talk = Generator<number, void, Buffer>;

/** Where an honest client reads, and where it writes and then reads. Blocks of the pattern, both. */
export interface HonestField {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly firstWritable: number;
}

const BLOCK_BYTES = 512;
const READ = 0;
const WRITE = 1;
const DISC = 2;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;

/**
 * A client that only wants its data: it writes what belongs into some blocks, reads them and others, several requests in
 * flight, and leaves. Every answer must come once and be right.
 */
export class HonestClient implements FuzzPeer {
  readonly #random: SeededRandom;
  readonly #field: HonestField;
  readonly #found: (error: unknown) => void;
  readonly #talk: Talk;
  readonly #pending = new Map<string, Asked>();
  /** Answers of which some chunks have come. */
  readonly #begun = new Map<string, ChunkedAnswer>();
  /** The selected contexts by their ids. */
  readonly #contexts = new Map<number, string>();
  readonly #wants: "simple replies" | "structured replies" | "contexts";
  #stream: FuzzStream | undefined;
  #heard = Buffer.alloc(0);
  #needBytes = 0;
  #cookies = 0n;
  #satisfied = false;
  #structured = false;

  /** `found` is told what an oracle says. */
  constructor(random: SeededRandom, field: HonestField, found: (error: unknown) => void) {
    this.#random = random;
    this.#field = field;
    this.#found = found;
    this.#wants = random.pick(["simple replies", "structured replies", "contexts", "contexts"]);
    this.#talk = this.#converse();
    this.#advance(Buffer.alloc(0));
  }

  /** It got everything. */
  get satisfied(): boolean {
    return this.#satisfied;
  }

  /** How far it came; for messages. */
  get progress(): string {
    return `${this.#pending.size} requests unanswered, ${this.#heard.length} of ${this.#needBytes} bytes heard`;
  }

  connect(stream: FuzzStream): void {
    this.#stream = stream;
  }

  written(): void {
    // What counts is what arrives.
  }

  heard(bytes: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    try {
      while (this.#needBytes > 0 && this.#heard.length >= this.#needBytes) {
        const taken = this.#heard.subarray(0, this.#needBytes);
        this.#heard = this.#heard.subarray(this.#needBytes);
        this.#advance(taken);
      }
    } catch (error) {
      this.#needBytes = 0;
      this.#found(error);
    }
  }

  delivering(): void {
    // It knows what it said.
  }

  over(): void {
    if (!this.#satisfied) this.#found(new Error(`an honest client was hung up on: ${this.progress}`));
    this.#stream?.sayEnd();
  }

  #advance(bytes: Buffer): void {
    const step = this.#talk.next(bytes);
    this.#needBytes = step.done === true ? 0 : step.value;
  }

  *#converse(): Talk {
    yield* this.#negotiate();
    const { firstBlock, blocks, firstWritable } = this.#field;
    const random = this.#random;
    const end = firstBlock + blocks;
    for (let rounds = random.chance(0.1) ? 20 : 1; rounds > 0; rounds -= 1) {
      const mine = firstWritable + random.integer(end - firstWritable);
      const most = rounds > 1 ? end - mine : Math.min(3, end - mine);
      const writes = 1 + random.integer(most);
      for (let count = 0; count < writes; count += 1) this.#request(WRITE, mine + count, 1);
      yield* this.#answers();
      this.#request(READ, mine, writes);
    }
    for (let count = random.integer(4); count > 0; count -= 1) {
      const block = firstBlock + random.integer(firstWritable - firstBlock);
      const command = this.#contexts.size > 0 && random.chance(0.5) ? BLOCK_STATUS : READ;
      this.#request(command, block, 1 + random.integer(Math.min(8, firstWritable - block)));
    }
    yield* this.#answers();
    this.#satisfied = true;
    this.#say(message(u32(0x25609513), u16(0), u16(DISC), u64(0), u64(0), u32(0)));
  }

  *#negotiate(): Talk {
    const magics = yield 16;
    if (magics.toString("latin1", 8) !== "IHAVEOPT") {
      yield 136;
      return;
    }
    yield 2;
    this.#say(message(u32(3)));
    if (this.#wants !== "simple replies") yield* this.#ask(8, option(8));
    const names = this.#random.pick([FUZZ_CONTEXTS, FUZZ_CONTEXTS.slice(0, 1)]);
    if (this.#wants === "contexts") {
      yield* this.#ask(10, option(10, ...metadataQuery("", names)));
      expectThat(this.#contexts.size === names.length, `${this.#contexts.size} contexts were selected`);
    }
    yield* this.#ask(7, option(7, ...exportQuery("", [])));
    this.#structured = this.#wants !== "simple replies";
  }

  /** Sends an option and hears the answer, which must be good. */
  *#ask(number: number, said: Message): Talk {
    this.#say(said);
    for (;;) {
      const header = yield 20;
      const length = header.readUInt32BE(16);
      const data = length > 0 ? yield length : Buffer.alloc(0);
      const type = header.readUInt32BE(12);
      const isGood = type === 1 || type === (number === 10 ? 4 : 3);
      expectThat(isGood && header.readUInt32BE(8) === number, `an honest client was answered ${type}`);
      if (type === 4) this.#contexts.set(data.readUInt32BE(0), data.toString("utf8", 4));
      if (type === 1) return;
    }
  }

  #request(command: number, block: number, blocks: number): void {
    this.#cookies += 1n;
    const offset = block * BLOCK_BYTES;
    const length = blocks * BLOCK_BYTES;
    const flags = this.#random.chance(0.3) ? this.#flagFor(command) : 0;
    this.#pending.set(String(this.#cookies), { command, flags, offset, length });
    const header = message(u32(0x25609513), u16(flags), u16(command), u64(this.#cookies), u64(offset), u32(length));
    this.#say(command === WRITE ? message(header, pattern(offset, length)) : header);
  }

  #flagFor(command: number): number {
    if (command === BLOCK_STATUS) return REQ_ONE;
    return command === READ && this.#structured ? DF : 0;
  }

  *#answers(): Talk {
    while (this.#pending.size > 0) {
      const header = yield 16;
      const magic = header.readUInt32BE(0);
      const cookie = String(header.readBigUInt64BE(8));
      const asked = this.#pending.get(cookie);
      expectThat(asked !== undefined, `a reply to nothing, or a second one: cookie ${cookie}`);
      if (this.#structured && magic === 0x668e33ef) yield* this.#chunk(header, cookie, asked);
      else {
        expectThat(magic === 0x67446698, "a reply with another magic");
        expectThat(header.readUInt32BE(4) === 0, `an honest request was answered with ${header.readUInt32BE(4)}`);
        const needsChunks = asked.command === BLOCK_STATUS || (this.#structured && asked.command === READ);
        expectThat(!needsChunks, `a simple reply to command ${asked.command}`);
        this.#pending.delete(cookie);
        if (asked.command === READ) this.#judgeData(yield asked.length, asked.offset);
      }
    }
  }

  *#chunk(header: Buffer, cookie: string, asked: Asked): Talk {
    const length = (yield 4).readUInt32BE(0);
    const payload = length > 0 ? yield length : Buffer.alloc(0);
    const answer =
      this.#begun.get(cookie) ?? new ChunkedAnswer(asked, { contexts: this.#contexts, sizeBytes: DISK_BYTES });
    this.#begun.set(cookie, answer);
    const done = header.readUInt16BE(4) === 1;
    const problem = answer.take(header.readUInt16BE(6), done, payload) ?? (done ? answer.end() : undefined);
    expectThat(problem === undefined, `an honest client was told ${problem}`);
    expectThat(answer.error === 0, `an honest request was answered with ${answer.error}`);
    if (!done) return;
    this.#pending.delete(cookie);
    this.#begun.delete(cookie);
    if (asked.command === READ) this.#judgeData(answer.data, asked.offset);
    expectThat((asked.flags & DF) === 0 || answer.contentChunks === 1, "fragments in spite of DF");
    for (const [context, extents] of answer.statuses) {
      expectThat(saysSo(context, asked.offset, extents), `another status of ${context} at ${asked.offset}`);
    }
  }

  #judgeData(data: Buffer, offset: number): void {
    expectThat(data.equals(pattern(offset, data.length)), `wrong bytes at ${offset}`);
  }

  #say(said: Message): void {
    this.#stream?.say(said.bytes);
  }
}
