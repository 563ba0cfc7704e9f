import type { SeededRandom } from "../../simulation/seeded-random.ts";
import type { FuzzPeer, FuzzStream } from "../support/fuzz-stream.ts";
import { pattern } from "../support/pattern.ts";
import { chunk } from "../transcript/chunk-messages.ts";
import type { Message } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { anyHello, newstyleHello, type OfferedExport, simpleReply } from "../transcript/server-messages.ts";
import { type Answer, ReplyWitness } from "./reply-witness.ts";
import { answerTo, type Speech } from "./server-replies.ts";
import { type WireListener, WireParser, type WireRequest } from "./wire-parser.ts";

/** Who is told what a server sees and says. */
export interface ServerOwner {
  /** Every request that was sent over any connection. */
  readonly requests: WireRequest[];
  /** The size of the one export that requests may be sent to; undefined while it is not known. */
  readonly sizeBytes: number | undefined;
  answered(answer: Answer): void;
  found(error: unknown): void;
}

/** How a server means it: as well as it can, with a good hello and then anything, or badly from the beginning. */
export type Intent = "honest" | "hostile" | "slams the door" | "hostile from the hello on";

const WRITE = 1;
const DISC = 2;
const BEFORE_TRANSMISSION: Speech = { structured: false, contexts: new Map(), sizeBytes: 0 };

/** All messages of one answer. */
type Reply = readonly Message[];

/** One connection to a server. */
export class WireServer implements FuzzPeer {
  readonly #random: SeededRandom;
  readonly #intent: Intent;
  readonly #owner: ServerOwner;
  readonly #hello: Message[];
  readonly #witness: ReplyWitness;
  readonly #spy: WireParser;
  readonly #ear: WireParser;
  readonly #size: number;
  #stream: FuzzStream | undefined;
  readonly #owed: Reply[] = [];
  /** The second half of a reply whose first half was said. */
  #rest: Buffer | undefined;

  constructor(random: SeededRandom, size: number, intent: Intent, offered: OfferedExport, owner: ServerOwner) {
    this.#random = random;
    this.#size = size;
    this.#intent = intent;
    this.#owner = owner;
    const badly = intent === "hostile from the hello on";
    this.#hello = badly
      ? mutate(anyHello(offered, random), random, random.integer(size + 1))
      : newstyleHello(offered, random);
    this.#witness = new ReplyWitness((answer) => owner.answered(answer));
    this.#spy = new WireParser(this.#listener((request) => this.#sent(request)));
    this.#ear = new WireParser({
      ...this.#listener((request) => this.#heardHeader(request)),
      whole: (request, payload) => this.#heardWhole(request, payload),
    });
  }

  get intent(): Intent {
    return this.#intent;
  }

  connect(stream: FuzzStream): void {
    this.#stream = stream;
    const bytes = Buffer.concat(this.#hello.map((one) => one.bytes));
    if (bytes.length > 0) stream.say(bytes);
    if (this.#intent === "slams the door") stream.sayEnd();
    if (this.#intent !== "honest" && this.#random.chance(0.3)) stream.takeOnly(this.#random.integer(3000));
  }

  /** Does one thing, if it is hostile. */
  act(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#intent === "honest" || stream.gone) return;
    const random = this.#random;
    if (this.#rest !== undefined) {
      if (random.chance(0.1)) this.finishReply();
      return;
    }
    const choice = random.integer(20);
    if (choice < 7) this.#answer(random.chance(0.6) ? 0 : random.integer(this.#size + 1));
    else if (choice === 7) this.#beginReply();
    else if (choice === 8) this.#answerAnother();
    else if (choice === 9) this.#guess();
    else if (choice === 10) stream.takeAll();
    else if (choice === 11) stream.takeOnly(random.integer(2000));
    else if (choice === 12 && random.chance(0.3)) stream.sayEnd();
    else if (choice === 13 && random.chance(0.3)) stream.break();
  }

  /** Says nothing any more, perhaps in the middle of a reply. */
  fallSilent(): void {
    if (this.#rest === undefined && this.#random.chance(0.7)) this.#beginReply();
    this.#stream?.takeAll();
  }

  /** Says the rest of what it began to answer long ago. */
  finishReply(): void {
    if (this.#rest !== undefined) this.#stream?.say(this.#rest);
    this.#rest = undefined;
  }

  /** Its process ends. */
  die(): void {
    this.#stream?.break();
  }

  written(bytes: Buffer): void {
    this.#spy.feed(bytes);
  }

  heard(bytes: Buffer): void {
    this.#ear.feed(bytes);
  }

  delivering(bytes: Buffer): void {
    this.#witness.feed(bytes);
  }

  over(): void {
    if (this.#intent === "honest" || this.#random.chance(0.3)) this.#stream?.sayEnd();
  }

  #listener(header: (request: WireRequest) => void): WireListener {
    return {
      header,
      whole: () => undefined,
      nonsense: (what) => this.#owner.found(new Error(what)),
    };
  }

  #sent(request: WireRequest): void {
    const sizeBytes = this.#witness.hello?.sizeBytes;
    const known = this.#owner.sizeBytes;
    if (known !== undefined && sizeBytes !== known && request.command !== DISC) {
      this.#owner.found(new Error(`a request was sent to a disk of ${sizeBytes} bytes instead of ${known}`));
    }
    this.#owner.requests.push(request);
    this.#witness.sent(request);
  }

  #heardHeader(request: WireRequest): void {
    if (this.#intent !== "honest" && request.command !== DISC) this.#owed.push(this.#reply(request));
  }

  #heardWhole(request: WireRequest, payload: Buffer): void {
    const { command, offset, length } = request;
    if (command === WRITE && !payload.equals(pattern(offset, length))) {
      this.#owner.found(new Error(`the write at ${offset} arrived with other bytes`));
    }
    if (this.#intent === "honest" && command !== DISC) this.#say(this.#reply(request));
  }

  #reply(request: WireRequest): Reply {
    const speech = this.#witness.hello ?? BEFORE_TRANSMISSION;
    return answerTo(request, speech, this.#random, this.#intent !== "honest");
  }

  #say(reply: Reply): void {
    for (const { bytes } of reply) if (bytes.length > 0) this.#stream?.say(bytes);
  }

  /** Answers by halves: a lot can happen before the second one. */
  #beginReply(): void {
    const withData = this.#owed.findIndex((reply) => bytesOf(reply).length > 16);
    const [reply] = this.#owed.splice(Math.max(0, withData), 1);
    if (reply === undefined) return;
    const bytes = bytesOf(reply);
    const middle = Math.min(16, bytes.length - 1) + this.#random.integer(Math.max(1, bytes.length - 16));
    this.#stream?.say(bytes.subarray(0, middle));
    this.#rest = bytes.subarray(middle);
  }

  /** Answers what may have been asked over another connection, or was answered long ago. */
  #answerAnother(): void {
    const { requests } = this.#owner;
    if (requests.length > 0) this.#say(this.#reply(this.#random.pick(requests)));
  }

  /** Answers what was perhaps not asked yet: cookies are not hard to guess. */
  #guess(): void {
    const uses = 1 + this.#random.integer(2);
    const cookie = (BigInt(uses) << 32n) | BigInt(this.#random.integer(12));
    const structured = this.#witness.hello?.structured === true && this.#random.chance(0.7);
    this.#say([structured ? chunk({ cookie, done: true }, 0) : simpleReply(0, cookie, Buffer.alloc(0))]);
  }

  #answer(mutations: number): void {
    const random = this.#random;
    const replies = this.#owed.splice(0, 1 + random.integer(this.#owed.length + 1));
    if (random.chance(0.3)) replies.reverse();
    const messages = random.chance(0.5) ? replies.flat() : interleaved(replies, random);
    this.#say(mutate(messages, random, mutations));
  }
}

function bytesOf(reply: Reply): Buffer {
  return Buffer.concat(reply.map(({ bytes }) => bytes));
}

/** The messages of several answers in any order that keeps each of them in its own. */
function interleaved(replies: readonly Reply[], random: SeededRandom): Message[] {
  const left = replies.map((reply) => [...reply]);
  const messages: Message[] = [];
  for (;;) {
    const begun = left.filter((reply) => reply.length > 0);
    const next = begun.length === 0 ? undefined : random.pick(begun).shift();
    if (next === undefined) return messages;
    messages.push(next);
  }
}
