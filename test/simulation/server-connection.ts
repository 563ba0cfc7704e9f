import type { SeededRandom } from "./seeded-random.ts";
import type { Manners } from "./server-character.ts";
import type { ModelServer } from "./model-server.ts";
import { ServedRequests } from "./served-requests.ts";
import type { Connection } from "./simulated-network.ts";
import type { SimulatedStream } from "./simulated-stream.ts";
import { type Talk, Talker } from "./talker.ts";
import * as wire from "./wire.ts";

const NO_BYTES = Buffer.alloc(0);

/** One connection of the model server: the handshake, then requests. What it sends is as good as its manners. */
export class ServerConnection {
  /** Counts up with every connection. */
  readonly number: number;
  readonly #server: ModelServer;
  readonly #stream: SimulatedStream;
  readonly #random: SeededRandom;
  #manners: Manners;
  /** The transmission flags that this connection was made with. */
  readonly #flags: number;
  readonly #talker: Talker;
  readonly #requests: ServedRequests;
  #sentBytes = 0;
  #over = false;
  #saidGoodbye = false;
  #asked = false;

  constructor(server: ModelServer, { accepted }: Connection, random: SeededRandom, manners: Manners) {
    this.number = server.accepted;
    this.#server = server;
    this.#stream = accepted;
    this.#random = random;
    this.#manners = manners;
    this.#flags = server.flags;
    this.#talker = new Talker(accepted, this.#talk(), this);
    const repliesUntilShutdown = manners.kind === "shutting-down" ? manners.afterReplies : Infinity;
    this.#requests = new ServedRequests(server, random, this, repliesUntilShutdown);
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

  reply(header: Buffer, data: Buffer): void {
    this.#send(data.length > 0 ? Buffer.concat([header, data]) : header);
  }

  *#talk(): Talk {
    if (this.#manners.kind === "mute") yield Infinity;
    if (this.#manners.kind === "old-style") {
      this.#send(wire.oldStyleHello(this.#server.disk.sizeBytes));
      yield Infinity;
    }
    const noZeroes = this.#random.chance(0.8);
    this.#send(wire.greeting(noZeroes));
    const flags = (yield 4).readUInt32BE(0);
    if ((flags & ~(noZeroes ? 3 : 1)) !== 0) this.#server.report(`the proxy answered a greeting with flags ${flags}`);
    while (!(yield* this.#negotiate(flags)));
    for (;;) yield* this.#receiveRequest();
  }

  /** Answers one option; true when transmission begins. */
  *#negotiate(clientFlags: number): Generator<number, boolean, Buffer> {
    const header = yield 16;
    if (!wire.isOption(header)) this.#server.report("the proxy sent an option without its magic");
    const number = header.readUInt32BE(8);
    const length = header.readUInt32BE(12);
    const data = length === 0 ? NO_BYTES : Buffer.from(yield length);
    const { sizeBytes, flags } = this.#offer();
    if (number === wire.EXPORT_NAME) {
      const padding = Buffer.alloc((clientFlags & 2) === 0 ? 124 : 0);
      this.#send(Buffer.concat([wire.exportFields(sizeBytes, flags), padding]));
      return true;
    }
    if (number !== wire.GO || this.#random.chance(this.#server.character.exportNameOnlyChance)) {
      this.#send(wire.optionReply(number, wire.ERR_UNSUP));
      return false;
    }
    if (data.readUInt32BE(0) !== 0) this.#server.report("the proxy asked for another export");
    if (this.#manners.kind === "refusing") {
      this.#send(wire.optionReply(number, this.#random.pick([wire.ERR_POLICY, wire.ERR_SHUTDOWN])));
      return false;
    }
    const infos = [wire.infoExport(sizeBytes, flags), wire.infoBlockSize(1, 4096, 1 << 25)];
    for (const info of infos) this.#send(wire.optionReply(number, wire.REP_INFO, info));
    this.#send(wire.optionReply(number, wire.ACK));
    return true;
  }

  #offer(): { sizeBytes: number; flags: number } {
    const { disk } = this.#server;
    const flags = this.#flags;
    if (this.#manners.kind !== "stranger") return { sizeBytes: disk.sizeBytes, flags };
    return this.#random.pick([
      { sizeBytes: disk.sizeBytes + disk.blockBytes, flags },
      { sizeBytes: disk.sizeBytes, flags: flags | wire.OFFERS.READ_ONLY },
      { sizeBytes: disk.sizeBytes, flags: flags & ~wire.OFFERS.FLUSH },
    ]);
  }

  *#receiveRequest(): Talk {
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
    this.#check(request);
    this.#requests.add(request, payload);
  }

  /** What was not offered must not be asked for. */
  #check({ command, flags, offset, length }: wire.WireRequest): void {
    const { disk, report } = this.#server;
    const lacks = (flag: number): boolean => (this.#flags & flag) === 0;
    const strange =
      (command === wire.TRIM && lacks(wire.OFFERS.TRIM)) ||
      (command === wire.WRITE_ZEROES && lacks(wire.OFFERS.ZEROES)) ||
      (command === wire.CACHE && lacks(wire.OFFERS.CACHE)) ||
      ((flags & wire.FUA) !== 0 && lacks(wire.OFFERS.FUA)) ||
      ((flags & wire.FAST_ZERO) !== 0 && lacks(wire.OFFERS.FAST));
    if (strange) report(`the proxy sent command ${command} with flags ${flags}, which was not offered`);
    if (offset + length > disk.sizeBytes) report("the proxy sent a request past the end of the export");
  }

  /** Sends, as far as the manners of this connection allow. */
  #send(bytes: Buffer): void {
    if (this.#over) return;
    const manners = this.#manners;
    const broken = manners.kind === "breaking" && this.#sentBytes + bytes.length > manners.afterBytes;
    const insane = manners.kind === "nonsense" && this.#sentBytes + bytes.length > manners.afterBytes;
    if (broken) this.#break(bytes.subarray(0, manners.afterBytes - this.#sentBytes), manners.how);
    else if (insane) this.#talkNonsense();
    else this.#stream.write([bytes]);
    this.#sentBytes += bytes.length;
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
