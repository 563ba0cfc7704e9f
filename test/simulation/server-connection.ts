import type { ModelServer } from "./model-server.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { ServedRequests } from "./served-requests.ts";
import type { Manners } from "./server-character.ts";
import { type ServerAgreement, ServerHandshake } from "./server-handshake.ts";
import type { Connection } from "./simulated-network.ts";
import type { SimulatedStream } from "./simulated-stream.ts";
import * as structured from "./structured-wire.ts";
import { type Talk, Talker } from "./talker.ts";
import * as wire from "./wire.ts";

const NO_BYTES = Buffer.alloc(0);

/** Who broke the protocol has been hung up on after this time, whatever froze the connection meanwhile. */
const PATIENCE_MS = 100_000;

/** One connection of the model server: the handshake, then requests. What it sends is as good as its manners. */
export class ServerConnection {
  /** Counts up with every connection. */
  readonly number: number;
  readonly #server: ModelServer;
  readonly #connection: Connection;
  readonly #stream: SimulatedStream;
  readonly #random: SeededRandom;
  #manners: Manners;
  readonly #talker: Talker;
  readonly #requests: ServedRequests;
  #sentBytes = 0;
  #over = false;
  #saidGoodbye = false;
  #asked = false;

  constructor(server: ModelServer, connection: Connection, random: SeededRandom, manners: Manners) {
    this.number = server.accepted;
    this.#server = server;
    this.#connection = connection;
    this.#stream = connection.accepted;
    this.#random = random;
    this.#manners = manners;
    this.#talker = new Talker(this.#stream, this.#talk(), this);
    this.#requests = new ServedRequests(server, random, this, {
      repliesUntilShutdown: manners.kind === "shutting-down" ? manners.afterReplies : Infinity,
      repliesUntilNonsense: manners.kind === "ungrammatical" ? manners.afterReplies : Infinity,
    });
  }

  /** The client ended it with DISC. */
  get saidGoodbye(): boolean {
    return this.#saidGoodbye;
  }

  begin(): void {
    this.#talker.begin();
  }

  ended(): void {
    this.retire();
    this.#stream.end();
  }

  closed(): void {
    this.retire();
  }

  /** Has good manners from now on, unless it has shown the others already. */
  reform(): void {
    if (this.#sentBytes === 0) return;
    this.#manners = { kind: "good" };
    this.#requests.reform();
  }

  /** Answers ESHUTDOWN from now on. */
  shutDown(): void {
    this.#requests.shutDown();
  }

  /** The proxy has given the connection up, or knows that it is lost; what it left behind goes on for so long at most. */
  abandoned(lateMs: number): void {
    this.#requests.abandoned();
    this.#server.clock.setTimer(lateMs, () => {
      this.#requests.forget();
      if (this.#random.chance(this.#server.hangUpChance)) this.destroy();
    });
  }

  /** Receives no more requests and answers none: what is outstanding happens now, later, in part or never. */
  retire(): void {
    if (this.#over) return;
    this.#over = true;
    this.#talker.stop();
    this.#requests.retire();
  }

  /** Goes away without a word, or in good order where that is its character. */
  destroy(): void {
    this.retire();
    if (this.#server.character.endsProperly) this.#stream.end();
    else this.#stream.destroy();
  }

  misbehaved(how: string): void {
    const { clock, note, report } = this.#server;
    note(`the server ${how}`);
    clock.setTimer(PATIENCE_MS, () => {
      if (!this.#over && !this.#connection.severed) report(`nobody hung up on a server that ${how}`);
    });
  }

  /** Sends, as far as the manners of this connection allow. */
  say(bytes: Buffer): void {
    if (this.#over) return;
    const manners = this.#manners;
    const broken = manners.kind === "breaking" && this.#sentBytes + bytes.length > manners.afterBytes;
    const insane = manners.kind === "nonsense" && this.#sentBytes + bytes.length > manners.afterBytes;
    if (broken) this.#break(bytes.subarray(0, manners.afterBytes - this.#sentBytes), manners.how);
    else if (insane) this.#talkNonsense();
    else this.#stream.write([bytes]);
    this.#sentBytes += bytes.length;
  }

  *#talk(): Talk {
    const handshake = new ServerHandshake(this.#server, this.#random, this.#manners, (bytes) => this.say(bytes));
    const agreement = yield* handshake.run();
    this.#requests.begin(agreement);
    for (;;) yield* this.#receiveRequest(agreement);
  }

  *#receiveRequest(agreement: ServerAgreement): Talk {
    const header = yield 28;
    if (header.readUInt32BE(0) !== wire.REQUEST_MAGIC)
      this.#server.report("the proxy sent a request without its magic");
    const request = wire.parseRequest(header);
    const payload = request.command === wire.WRITE ? Buffer.from(yield request.length) : NO_BYTES;
    if (request.command === wire.DISC) {
      this.#saidGoodbye = true;
      if (this.#random.chance(0.5)) this.destroy();
      else this.ended();
      return;
    }
    if (!this.#asked) this.#server.firstAsked(this);
    this.#asked = true;
    this.#check(request, agreement);
    this.#requests.add(request, payload);
  }

  /** What was not offered must not be asked for. */
  #check({ command, flags, offset, length }: wire.WireRequest, agreement: ServerAgreement): void {
    const { character, disk, report } = this.#server;
    const lacks = (flag: number): boolean => (agreement.flags & flag) === 0;
    const strange =
      (command === wire.TRIM && lacks(wire.OFFERS.TRIM)) ||
      (command === wire.WRITE_ZEROES && lacks(wire.OFFERS.ZEROES)) ||
      (command === wire.CACHE && lacks(wire.OFFERS.CACHE)) ||
      (command === structured.BLOCK_STATUS && agreement.contexts.size === 0) ||
      ((flags & wire.FUA) !== 0 && lacks(wire.OFFERS.FUA)) ||
      ((flags & structured.DF) !== 0 && (command !== wire.READ || lacks(structured.OFFERS_DF))) ||
      ((flags & structured.REQ_ONE) !== 0 && command !== structured.BLOCK_STATUS) ||
      ((flags & wire.FAST_ZERO) !== 0 && (command !== wire.WRITE_ZEROES || lacks(wire.OFFERS.FAST)));
    if (strange) report(`the proxy sent command ${command} with flags ${flags}, which was not offered`);
    if (offset + length > disk.sizeBytes) report("the proxy sent a request past the end of the export");
    const carriesData = command === wire.READ || command === wire.WRITE;
    if (carriesData && length > character.maximumPayloadBytes) report(`the proxy sent a request for ${length} bytes`);
  }

  #break(lastWords: Buffer, how: "close" | "half-close" | "cut"): void {
    if (lastWords.length > 0) this.#stream.write([lastWords]);
    this.#server.note(`the connection breaks (${how})`);
    if (how === "cut") this.#server.sever(this.#stream);
    else if (how === "close") this.destroy();
    else this.ended();
  }

  /** Bytes that are no message, between two that would be: within one, nobody could tell them from data. */
  #talkNonsense(): void {
    this.#server.note("the server talks nonsense");
    const nonsense = Buffer.alloc(16 + this.#random.integer(64), 0x5a);
    // A reply to nobody is nonsense as well.
    if (this.#random.chance(0.5)) wire.simpleReply(0, 0xffff_ffff_ffff_ffffn).copy(nonsense);
    this.#stream.write([nonsense]);
    this.retire();
  }
}
