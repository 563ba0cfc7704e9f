import type { SeededRandom } from "./seeded-random.ts";
import type { Manners } from "./server-character.ts";
import type { ModelServer } from "./model-server.ts";
import type { SimulatedStream } from "./simulated-stream.ts";
import { type Talk, Talker } from "./talker.ts";
import * as wire from "./wire.ts";

/** A request at the server, from its arrival to its reply. */
interface Served extends wire.WireRequest {
  readonly payload: Buffer;
  /** Where its execution begins again: bytes before were carried out. */
  doneBytes: number;
  readonly result: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** One connection of the model server: the handshake, then requests carried out and answered in any order. */
export class ServerConnection {
  readonly #server: ModelServer;
  readonly #stream: SimulatedStream;
  readonly #random: SeededRandom;
  #manners: Manners;
  /** The transmission flags that this connection was made with. */
  readonly #flags: number;
  readonly #talker: Talker;
  readonly #outstanding = new Map<bigint, Served>();
  #sentBytes = 0;
  #replies = 0;
  #over = false;
  #shuttingDown = false;
  #saidGoodbye = false;
  #asked = false;

  constructor(server: ModelServer, stream: SimulatedStream, random: SeededRandom, manners: Manners) {
    this.#server = server;
    this.#stream = stream;
    this.#random = random;
    this.#manners = manners;
    this.#flags = server.flags;
    this.#talker = new Talker(stream, this.#talk(), this);
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
    if (this.#sentBytes > 0) this.#manners = { kind: "good" };
  }

  /** Answers ESHUTDOWN from now on. */
  shutDown(): void {
    this.#shuttingDown = true;
  }

  /**
   * Carries out no more requests: what is outstanding happens now, in part or whole, or never. Late execution, which a
   * real server can't exclude, begins to exist with rule R9.
   */
  retire(): void {
    if (this.#over) return;
    this.#over = true;
    this.#talker.stop();
    const { disk, character } = this.#server;
    for (const served of shuffled([...this.#outstanding.values()], this.#random)) {
      if (!isWriteLike(served.command)) continue;
      // A TRIM may be dropped instead of sent again, so that a torn one stays.
      const grain = character.tearsBlocks && served.command !== wire.TRIM ? 1 : disk.blockBytes;
      const left = served.length - served.doneBytes;
      const fate = this.#random.next();
      if (fate < 0.4) this.#carryOut(served, left);
      else if (fate < 0.6) this.#carryOut(served, Math.floor(this.#random.next() * (left / grain)) * grain);
    }
    this.#outstanding.clear();
  }

  /** Goes away without a word. */
  destroy(): void {
    this.retire();
    this.#stream.destroy();
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
    if (!this.#asked) this.#server.takesOver(this);
    this.#asked = true;
    this.#check(request);
    const result = request.command === wire.READ ? Buffer.allocUnsafe(request.length) : NO_BYTES;
    const served = { ...request, payload, doneBytes: 0, result };
    this.#outstanding.set(request.cookie, served);
    this.#later(() => this.#serve(served));
  }

  /** What no proxy may send, whatever its clients do. */
  #check({ command, flags, cookie, offset, length }: wire.WireRequest): void {
    const { disk, checksOverlap } = this.#server;
    const lacks = (flag: number): boolean => (this.#flags & flag) === 0;
    const strange =
      (command === wire.TRIM && lacks(wire.OFFERS.TRIM)) ||
      (command === wire.WRITE_ZEROES && lacks(wire.OFFERS.ZEROES)) ||
      (command === wire.CACHE && lacks(wire.OFFERS.CACHE)) ||
      ((flags & wire.FUA) !== 0 && lacks(wire.OFFERS.FUA)) ||
      ((flags & wire.FAST_ZERO) !== 0 && lacks(wire.OFFERS.FAST));
    if (strange) this.#server.report(`the proxy sent command ${command} with flags ${flags}, which was not offered`);
    if (this.#outstanding.has(cookie)) this.#server.report(`the proxy sent cookie ${cookie} twice on one connection`);
    if (offset + length > disk.sizeBytes) this.#server.report("the proxy sent a request past the end of the export");
    if (!isWriteLike(command) || !checksOverlap) return;
    for (const other of this.#outstanding.values()) {
      const apart = other.offset + other.length <= offset || offset + length <= other.offset;
      if (!apart && isWriteLike(other.command))
        this.#server.report("the proxy had overlapping writes in flight together");
    }
  }

  /** Carries the request out, in one piece or two, then answers. */
  #serve(served: Served): void {
    const { character, disk, errorChance } = this.#server;
    const left = served.length - served.doneBytes;
    const fails = this.#random.chance(errorChance);
    const part = Math.floor(left / disk.blockBytes / 2) * disk.blockBytes;
    if (this.#shuttingDown || this.#replies >= this.#repliesUntilShutdown()) {
      this.#shuttingDown = true;
      this.#reply(served, wire.ESHUTDOWN);
    } else if (fails) {
      if (this.#random.chance(0.3)) this.#carryOut(served, part);
      this.#later(() => this.#reply(served, this.#error(served)));
    } else if (part > 0 && served.doneBytes === 0 && this.#random.chance(character.piecesChance)) {
      this.#carryOut(served, part);
      this.#later(() => this.#serve(served));
    } else {
      if (!isWriteLike(served.command) || !this.#random.chance(character.loseWriteChance)) this.#carryOut(served, left);
      this.#later(() => this.#reply(served, 0));
    }
  }

  #repliesUntilShutdown(): number {
    return this.#manners.kind === "shutting-down" ? this.#manners.afterReplies : Infinity;
  }

  #error({ command }: Served): number {
    // An error value that the text does not name has to reach the client as EINVAL.
    return isWriteLike(command)
      ? this.#random.pick([wire.ENOSPC, wire.EIO, wire.EPERM])
      : this.#random.pick([wire.EIO, 77]);
  }

  #carryOut(served: Served, bytes: number): void {
    const { disk } = this.#server;
    const from = served.doneBytes;
    const to = from + bytes;
    served.doneBytes = to;
    if (served.command === wire.READ) disk.read(served.offset + from, served.result.subarray(from, to));
    else if (served.command === wire.WRITE) disk.write(served.offset + from, served.payload.subarray(from, to));
    else if (isWriteLike(served.command)) disk.zero(served.offset + from, bytes);
  }

  #reply(served: Served, error: number): void {
    this.#outstanding.delete(served.cookie);
    this.#replies += 1;
    const header = wire.simpleReply(error, served.cookie);
    this.#send(error === 0 && served.command === wire.READ ? Buffer.concat([header, served.result]) : header);
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

  #later(callback: () => void): void {
    const { lingerChance, serveMaxMs } = this.#server.character;
    const longestMs = this.#random.chance(lingerChance) ? serveMaxMs * 20 : serveMaxMs;
    const delayMs = this.#random.between(0, longestMs);
    this.#server.clock.setTimer(delayMs, () => {
      if (!this.#over) callback();
    });
  }
}

function isWriteLike(command: number): boolean {
  return command === wire.WRITE || command === wire.WRITE_ZEROES || command === wire.TRIM;
}

function shuffled<Item>(items: Item[], random: SeededRandom): Item[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = random.integer(last + 1);
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
