import type { WriteOrigin } from "./model-disk.ts";
import type { ModelServer } from "./model-server.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { ServedReply } from "./served-reply.ts";
import type { ServerAgreement } from "./server-handshake.ts";
import { BLOCK_STATUS, type WireChunk } from "./structured-wire.ts";
import * as wire from "./wire.ts";

/** Whom the requests of a connection are answered to. */
export interface Asker {
  /** A message, to be sent over the connection: a whole answer, or one chunk of it. */
  say(message: Buffer): void;
  /** What was just sent broke the protocol. */
  misbehaved(how: string): void;
}

/** How many requests are answered before something happens; Infinity: it does not. */
export interface Fuse {
  /** ESHUTDOWN is the answer from then on. */
  readonly repliesUntilShutdown: number;
  /** The next answer breaks the protocol. */
  readonly repliesUntilNonsense: number;
}

/** A request at the server, from its arrival to its reply. */
class Served implements WriteOrigin {
  readonly request: wire.WireRequest;
  readonly payload: Buffer;
  readonly result: Buffer;
  readonly connection: object;
  readonly fua: boolean;
  readonly tears: boolean;
  /** What a BLOCK_STATUS found. */
  statuses: readonly WireChunk[] = [];
  replied = false;
  /** Where its execution begins again: bytes before were carried out. */
  doneBytes = 0;

  constructor(request: wire.WireRequest, payload: Buffer, connection: object, tears: boolean) {
    this.request = request;
    this.payload = payload;
    this.connection = connection;
    this.fua = (request.flags & wire.FUA) !== 0;
    this.tears = tears;
    this.result = request.command === wire.READ ? Buffer.alloc(request.length) : NO_BYTES;
  }
}

const NO_BYTES = Buffer.alloc(0);

/**
 * The requests of one connection at the server: carried out and answered in any order. When the connection is over, those
 * that are outstanding happen at once, in part, never, or late: at any time up to `lateMs` after the loss.
 */
export class ServedRequests {
  readonly #server: ModelServer;
  readonly #random: SeededRandom;
  readonly #asker: Asker;
  #replies: ServedReply;
  readonly #outstanding = new Map<bigint, Served>();
  #repliesUntilShutdown: number;
  #repliesUntilNonsense: number;
  #over = false;
  /** Since when whoever asked may know that the connection is lost. */
  #lostAtMs: number | undefined;
  /** What is carried out now may come after the same was sent again. */
  #late = false;

  constructor(server: ModelServer, random: SeededRandom, asker: Asker, fuse: Fuse) {
    this.#server = server;
    this.#random = random;
    this.#asker = asker;
    this.#replies = this.#repliesAs({ flags: 0, structured: false, contexts: new Map() });
    this.#repliesUntilShutdown = fuse.repliesUntilShutdown;
    this.#repliesUntilNonsense = fuse.repliesUntilNonsense;
  }

  /** The handshake is over: requests follow. */
  begin(agreement: ServerAgreement): void {
    this.#replies = this.#repliesAs(agreement);
  }

  /** A request arrived. */
  add(request: wire.WireRequest, payload: Buffer): void {
    if (this.#over) return;
    this.#check(request);
    // A TRIM may be dropped instead of sent again, so that a torn one stays.
    const tears = this.#server.character.tearsBlocks && request.command !== wire.TRIM;
    const served = new Served(request, payload, this, tears);
    this.#outstanding.set(request.cookie, served);
    this.#later(() => this.#serve(served));
    if (!isReadLike(request.command)) this.#server.asked();
  }

  /** Answers ESHUTDOWN from now on. */
  shutDown(): void {
    this.#repliesUntilShutdown = 0;
  }

  /** Shuts down only if it has begun to. */
  reform(): void {
    if (this.#repliesUntilShutdown > 0) this.#repliesUntilShutdown = Infinity;
    this.#repliesUntilNonsense = Infinity;
  }

  /** Whoever asked has given the connection up, or knows that it is lost. */
  abandoned(): void {
    this.#late = true;
    this.#lostAtMs ??= this.#server.clock.nowMs();
  }

  /** Answers nothing any more. What is outstanding meets its fate. */
  retire(): void {
    if (this.#over) return;
    this.#over = true;
    this.#lostAtMs ??= this.#server.clock.nowMs();
    const mayBeLate = this.#server.character.lateMs !== undefined;
    for (const served of this.#random.shuffled([...this.#outstanding.values()])) {
      if (!isWriteLike(served.request.command)) continue;
      const bytes = this.#random.chance(0.65) ? served.request.length - served.doneBytes : this.#part(served);
      const fate = this.#random.next();
      if (mayBeLate && fate < 0.5) this.#carryOutLate(served, bytes);
      else if (fate < 0.7) this.#carryOut(served, bytes);
    }
    this.#outstanding.clear();
  }

  /** Carries nothing out any more, late or not. */
  forget(): void {
    this.#over = true;
    this.#outstanding.clear();
  }

  #repliesAs(agreement: ServerAgreement): ServedReply {
    const { character, disk } = this.#server;
    return new ServedReply({ agreement, disk, random: this.#random, gapChance: character.gapChance });
  }

  #part({ request, doneBytes, tears }: Served): number {
    const grain = tears ? 1 : this.#server.disk.blockBytes;
    return Math.floor(this.#random.next() * ((request.length - doneBytes) / grain)) * grain;
  }

  #carryOutLate(served: Served, bytes: number): void {
    const { character, clock, life } = this.#server;
    const lostAtMs = this.#lostAtMs ?? clock.nowMs();
    const leftMs = lostAtMs + (character.lateMs ?? 0) - clock.nowMs();
    if (leftMs <= 0) return;
    clock.setTimer(this.#random.between(0, leftMs), () => {
      // A crash takes with it what it had not carried out.
      if (this.#server.life !== life) return;
      this.#late = true;
      this.#carryOut(served, bytes);
    });
  }

  /** What no proxy may send, whatever its clients do. */
  #check({ command, cookie, offset, length }: wire.WireRequest): void {
    const { checksOverlap, report } = this.#server;
    if (this.#outstanding.has(cookie)) report(`the proxy sent cookie ${cookie} twice on one connection`);
    if (!isWriteLike(command) || !checksOverlap) return;
    for (const { request } of this.#outstanding.values()) {
      const apart = request.offset + request.length <= offset || offset + length <= request.offset;
      if (!apart && isWriteLike(request.command)) report("the proxy had overlapping writes in flight together");
    }
  }

  /** Carries the request out, in one piece or two, then answers. */
  #serve(served: Served): void {
    const { character, disk, errorChance, flushFailChance } = this.#server;
    const { command, length } = served.request;
    const left = length - served.doneBytes;
    const part = Math.floor(left / disk.blockBytes / 2) * disk.blockBytes;
    if (this.#repliesUntilShutdown <= 0) {
      this.#lostAtMs ??= this.#server.clock.nowMs();
      this.#reply(served, wire.ESHUTDOWN);
    } else if (this.#random.chance(errorChance)) {
      if (this.#random.chance(0.3)) this.#carryOut(served, part);
      this.#later(() => this.#reply(served, this.#error(command)));
    } else if (command === wire.FLUSH && this.#random.chance(flushFailChance)) {
      disk.failFlush(this);
      this.#later(() => this.#reply(served, wire.EIO));
    } else if (part > 0 && served.doneBytes === 0 && this.#random.chance(character.piecesChance)) {
      this.#carryOut(served, part);
      this.#later(() => this.#serve(served));
    } else {
      if (!isWriteLike(command) || !this.#random.chance(character.loseWriteChance)) this.#carryOut(served, left);
      this.#later(() => this.#reply(served, 0));
    }
  }

  #error(command: number): number {
    // An error value that the text does not name has to reach the client as EINVAL.
    return isWriteLike(command)
      ? this.#random.pick([wire.ENOSPC, wire.EIO, wire.EPERM])
      : this.#random.pick([wire.EIO, 77]);
  }

  #carryOut(served: Served, bytes: number): void {
    const { disk } = this.#server;
    const { command, offset } = served.request;
    const from = served.doneBytes;
    const to = from + bytes;
    served.doneBytes = to;
    if (command === wire.READ) disk.read(offset + from, served.result.subarray(from, to));
    else if (command === BLOCK_STATUS) served.statuses = this.#replies.statuses(served.request);
    else if (command === wire.FLUSH) disk.flush(this);
    else if (command === wire.WRITE) disk.write(offset + from, served.payload.subarray(from, to), served);
    else if (isWriteLike(command)) disk.zero(offset + from, bytes, served);
    if (this.#late && isWriteLike(command)) this.#server.carriedOutLate(offset + from, bytes);
  }

  #reply(served: Served, error: number): void {
    const outcome = { request: served.request, data: served.result, statuses: served.statuses };
    const spoilt = error === 0 && this.#repliesUntilNonsense <= 0 ? this.#replies.spoilt(outcome) : undefined;
    this.#say(served, error, spoilt?.messages ?? this.#replies.messages(outcome, error), spoilt?.how);
  }

  /** Sends the messages of an answer at once, or one now and then. */
  #say(served: Served, error: number, messages: readonly Buffer[], misbehaves: string | undefined): void {
    const [first, ...others] = messages;
    if (first !== undefined && others.length > 0 && this.#random.chance(0.7)) {
      this.#asker.say(first);
      this.#later(() => this.#say(served, error, others, misbehaves));
      return;
    }
    this.#outstanding.delete(served.request.cookie);
    this.#repliesUntilShutdown -= 1;
    this.#repliesUntilNonsense -= 1;
    served.replied = error === 0 && misbehaves === undefined;
    this.#asker.say(Buffer.concat(messages));
    if (misbehaves === undefined) return;
    this.#repliesUntilNonsense = Infinity;
    this.#asker.misbehaved(misbehaves);
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

function isReadLike(command: number): boolean {
  return command === wire.READ || command === BLOCK_STATUS;
}

function isWriteLike(command: number): boolean {
  return command === wire.WRITE || command === wire.WRITE_ZEROES || command === wire.TRIM;
}
