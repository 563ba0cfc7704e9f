import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { exportQuery, option } from "../transcript/client-messages.ts";
import { message, type Message, u16, u32, u64 } from "../transcript/message.ts";
import { expectThat } from "../support/fuzz-target.ts";
import type { FuzzPeer, FuzzStream } from "../support/fuzz-stream.ts";
import { pattern } from "../support/pattern.ts";

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

interface Pending {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * A client that only wants its data: it writes what belongs into some blocks, reads them and others, several requests in
 * flight, and leaves. Every answer must come once and be right.
 */
export class HonestClient implements FuzzPeer {
  readonly #random: SeededRandom;
  readonly #field: HonestField;
  readonly #found: (error: unknown) => void;
  readonly #talk: Talk;
  readonly #pending = new Map<string, Pending>();
  #stream: FuzzStream | undefined;
  #heard = Buffer.alloc(0);
  #needBytes = 0;
  #cookies = 0n;
  #satisfied = false;

  /** `found` is told what an oracle says. */
  constructor(random: SeededRandom, field: HonestField, found: (error: unknown) => void) {
    this.#random = random;
    this.#field = field;
    this.#found = found;
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
      for (let count = 0; count < writes; count += 1) this.#ask(WRITE, mine + count, 1);
      yield* this.#answers();
      this.#ask(READ, mine, writes);
    }
    for (let count = random.integer(4); count > 0; count -= 1) {
      const block = firstBlock + random.integer(firstWritable - firstBlock);
      this.#ask(READ, block, 1 + random.integer(Math.min(8, firstWritable - block)));
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
    this.#say(message(u32(3), option(7, ...exportQuery("", []))));
    for (;;) {
      const header = yield 20;
      const length = header.readUInt32BE(16);
      if (length > 0) yield length;
      const type = header.readUInt32BE(12);
      expectThat(type === 1 || type === 3, `an honest client was answered ${type}`);
      if (type === 1) return;
    }
  }

  #ask(command: number, block: number, blocks: number): void {
    this.#cookies += 1n;
    const offset = block * BLOCK_BYTES;
    const length = blocks * BLOCK_BYTES;
    this.#pending.set(String(this.#cookies), { command, offset, length });
    const header = message(u32(0x25609513), u16(0), u16(command), u64(this.#cookies), u64(offset), u32(length));
    this.#say(command === WRITE ? message(header, pattern(offset, length)) : header);
  }

  *#answers(): Talk {
    while (this.#pending.size > 0) {
      const header = yield 16;
      expectThat(header.readUInt32BE(0) === 0x67446698, "a reply with another magic");
      const cookie = String(header.readBigUInt64BE(8));
      const asked = this.#pending.get(cookie);
      expectThat(asked !== undefined, `a reply to nothing, or a second one: cookie ${cookie}`);
      expectThat(header.readUInt32BE(4) === 0, `an honest request was answered with ${header.readUInt32BE(4)}`);
      this.#pending.delete(cookie);
      if (asked.command !== READ) continue;
      const data = yield asked.length;
      expectThat(data.equals(pattern(asked.offset, asked.length)), `wrong bytes at ${asked.offset}`);
    }
  }

  #say(said: Message): void {
    this.#stream?.say(said.bytes);
  }
}
