import type { ByteStream, Endpoint } from "../../src/ports/network.ts";
import { blockValue, fillBlocks, ZEROS } from "./block-content.ts";
import { ChunkJudge, type Told } from "./chunk-judge.ts";
import { type ClientAgreement, ClientHandshake } from "./client-handshake.ts";
import type { Operation, OperationHistory } from "./operation-history.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { Connection, SimulatedNetwork } from "./simulated-network.ts";
import { knownBlocks } from "./status-findings.ts";
import * as structured from "./structured-wire.ts";
import type { ClientTongue } from "./structured-traits.ts";
import { type Talk, Talker } from "./talker.ts";
import * as wire from "./wire.ts";

/** What a client does from hello to good-bye. */
export interface ClientScript {
  readonly name: string;
  readonly startMs: number;
  readonly handshake: "go" | "info-then-go" | "export-name";
  /** It speaks before it is spoken to. */
  readonly eager: boolean;
  readonly requests: number;
  readonly inFlightMax: number;
  /** The longest pause between two bursts of requests. */
  readonly thinkMaxMs: number;
  readonly largestBlocks: number;
  readonly readShare: number;
  /** How many of the others are a FLUSH, and how likely one of the rest has FUA. */
  readonly flushShare: number;
  readonly fuaChance: number;
  /** How likely a request is one that the proxy has to refuse. */
  readonly invalidChance: number;
  /** How likely it stops listening for a while after a reply. */
  readonly deafChance: number;
  /**
   * `patient`: DISC when all is answered. `polite`: DISC behind the last request, then it waits for the end. `abrupt`: closes
   * in the middle. `rude`: breaks the protocol.
   */
  readonly goodbye: "patient" | "polite" | "half-close" | "abrupt" | "rude";
  /** Reads every block instead, once. */
  readonly auditor: boolean;
  readonly tongue: ClientTongue;
}

/** What a client lives in. */
export interface ClientSurroundings {
  readonly endpoint: Endpoint;
  readonly network: SimulatedNetwork;
  readonly clock: SimulatedClock;
  readonly history: OperationHistory;
  readonly blocks: number;
  readonly blockBytes: number;
  /** The metadata contexts that the proxy has to offer; undefined: as many of the server's as it likes. */
  readonly contexts: readonly string[] | undefined;
  /** Whether the proxy may have to answer this with an error. */
  readonly mayFail: (operation: Operation) => boolean;
  /** The proxy is being stopped and may let clients go. */
  readonly stopping: () => boolean;
  readonly report: (violation: string) => void;
}

/** A request that waits for its reply: what it was, or which error has to answer it. */
interface Asked {
  readonly operation: Operation | undefined;
  readonly request: wire.WireRequest;
  readonly expectedError: number;
  readonly judge: ChunkJudge;
}

/** What a client asks, before it has a cookie. */
type Question = Pick<wire.WireRequest, "command" | "flags" | "offset" | "length">;

/** How long a client waits before it tries again to come in. */
const RETRY_MS = 20;

/** A client of the proxy that speaks the wire with a codec of its own, and writes down what it asked and was told. */
export class SimulatedClient {
  readonly #script: ClientScript;
  readonly #around: ClientSurroundings;
  readonly #random: SeededRandom;
  readonly #asked = new Map<bigint, Asked>();
  #stream: ByteStream | undefined;
  #connection: Connection | undefined;
  #talker: Talker | undefined;
  #handshake: ClientHandshake | undefined;
  #agreement: ClientAgreement | undefined;
  #left = 0;
  #cookies: bigint;
  #pausing = false;
  #leaving = false;
  #over = false;
  #isOver: (() => void) | undefined;

  constructor(script: ClientScript, around: ClientSurroundings, random: SeededRandom) {
    this.#script = script;
    this.#around = around;
    this.#random = random;
    this.#left = script.auditor ? around.blocks : script.requests;
    this.#cookies = BigInt(random.integer(0x1_0000_0000)) << 32n;
  }

  /** What it still waits for, in words; for histories that got stuck. */
  get waitsFor(): string | undefined {
    if (this.#over) return undefined;
    const numbers = [...this.#asked.values()].map(({ operation }) => `#${operation?.number ?? "invalid"}`);
    return `client ${this.#script.name}: ${this.#stream === undefined ? "not connected" : `waits for ${numbers.join(" ")}`}`;
  }

  /** Lives its life; resolves when it is over. */
  run(): Promise<void> {
    this.#around.clock.setTimer(this.#script.startMs, () => this.#dial());
    return new Promise((resolve) => (this.#isOver = resolve));
  }

  ended(): void {
    this.#stream?.end();
    this.#hungUp();
  }

  closed(): void {
    this.#hungUp();
  }

  #dial(): void {
    const { network, endpoint, report, stopping } = this.#around;
    network.dial(
      { endpoint, bindAddress: undefined },
      {
        connected: (stream) => {
          this.#stream = stream;
          this.#connection = network.connectionOf(stream);
          this.#talker = new Talker(stream, this.#talk(), this);
          this.#talker.begin();
        },
        failed: () => {
          if (!stopping()) report("the proxy does not listen");
          this.#finish();
        },
      },
    );
  }

  /** The connection ends, which the proxy may not do to a client that did nothing wrong. */
  #hungUp(): void {
    if (this.#over) return;
    const { report, stopping } = this.#around;
    const { goodbye, name } = this.#script;
    if (this.#agreement === undefined && this.#handshake?.mayBeRefused === true && !stopping()) {
      this.#dialAgain();
      return;
    }
    const accepted = this.#leaving || this.#connection?.severed === true || stopping();
    if (!accepted) report(`the proxy hung up on client ${name}`);
    const polite = this.#leaving && this.#connection?.severed !== true;
    if (polite && goodbye === "polite" && this.#asked.size > 0 && !stopping()) {
      report(`the proxy left requests unanswered that client ${name} had sent before DISC`);
    }
    if (polite && goodbye === "half-close") this.#expectPromises();
    this.#finish();
  }

  /** The proxy did not let it in, and may do so next time. */
  #dialAgain(): void {
    this.#talker?.stop();
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#handshake = undefined;
    this.#around.clock.setTimer(RETRY_MS, () => this.#dial());
  }

  /** What was sent before a DISC is carried out, though nobody hears of it. */
  #expectPromises(): void {
    for (const { operation } of this.#asked.values()) {
      if (operation !== undefined && !isReadLike(operation.kind)) operation.promised = true;
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#talker?.stop();
    this.#isOver?.();
  }

  *#talk(): Talk {
    const { blocks, blockBytes, contexts, report } = this.#around;
    const expected = { sizeBytes: blocks * blockBytes, contexts };
    const send = (chunks: readonly Buffer[]): void => this.#send(chunks);
    this.#handshake = new ClientHandshake(this.#script, expected, this.#random, { send, report });
    const agreement = yield* this.#handshake.run();
    if (agreement === undefined) {
      this.#dialAgain();
      return;
    }
    this.#agreement = agreement;
    this.#ask();
    for (;;) yield* this.#receiveReply(agreement);
  }

  /** Sends the next requests, as far as it may have them in flight, then thinks. */
  #ask(): void {
    const { inFlightMax, thinkMaxMs } = this.#script;
    // The next reply asks on.
    if (this.#left > 0 && this.#asked.size >= inFlightMax) return;
    if (this.#pausing || this.#leaving || this.#over) return;
    const chunks: Buffer[] = [];
    while (this.#left > 0 && this.#asked.size < inFlightMax && !this.#random.chance(0.15)) {
      this.#left -= 1;
      chunks.push(...this.#request());
    }
    if (this.#left === 0) this.#takeLeave(chunks);
    this.#send(chunks);
    if (this.#left === 0 || this.#leaving) return;
    this.#pausing = true;
    this.#around.clock.setTimer(this.#random.between(0, thinkMaxMs), () => {
      this.#pausing = false;
      this.#ask();
    });
  }

  /** Everything is asked: the way out is the script's. */
  #takeLeave(chunks: Buffer[]): void {
    const { goodbye } = this.#script;
    const { clock } = this.#around;
    if (goodbye === "patient" && this.#asked.size > 0) return;
    this.#leaving = true;
    if (goodbye === "abrupt") {
      clock.setTimer(this.#random.between(0, 3), () => this.#vanish());
      return;
    }
    const rude = Buffer.alloc(28 + this.#random.integer(50), 0xa5);
    chunks.push(
      goodbye === "rude"
        ? rude
        : wire.requestHeader({ command: wire.DISC, flags: 0, cookie: 0n, offset: 0, length: 0 }),
    );
    if (goodbye === "half-close") clock.setTimer(0, () => this.#stream?.end());
  }

  #vanish(): void {
    if (this.#random.chance(0.5)) this.#connection?.sever(10);
    this.#stream?.destroy();
    this.#finish();
  }

  /** One request, drawn at random, as the bytes that carry it. */
  #request(): Buffer[] {
    const { auditor, flushShare, invalidChance, largestBlocks, readShare, tongue } = this.#script;
    const { blocks, history, blockBytes } = this.#around;
    if (auditor) return this.#ordinary(wire.READ, "read", this.#left, 1);
    if (this.#random.chance(invalidChance)) return this.#invalid();
    const length = 1 + this.#random.integer(largestBlocks);
    const block = this.#random.integer(blocks - Math.min(length, blocks) + 1);
    const count = Math.min(length, blocks);
    if (this.#random.chance(readShare)) {
      const asksStatus = (this.#agreement?.contexts.size ?? 0) > 0 && this.#random.chance(tongue.statusShare);
      if (asksStatus) return this.#ordinary(structured.BLOCK_STATUS, "status", block, count);
      return this.#ordinary(wire.READ, "read", block, count);
    }
    if (this.#random.chance(flushShare)) return this.#ordinary(wire.FLUSH, "flush", 0, 0);
    const kind = this.#random.next();
    if (kind < tongue.zeroShare) return this.#ordinary(wire.WRITE_ZEROES, "zero", block, count);
    if (kind < tongue.zeroShare + 0.05) return this.#ordinary(wire.TRIM, "trim", block, count);
    const value = history.nextValue();
    const payload = Buffer.allocUnsafe(count * blockBytes);
    fillBlocks(payload, block, blockBytes, value);
    return [...this.#ordinary(wire.WRITE, "write", block, count, value), payload];
  }

  #ordinary(command: number, kind: Operation["kind"], block: number, blocks: number, value = ZEROS): Buffer[] {
    const { history, blockBytes } = this.#around;
    const { fuaChance, name, tongue } = this.#script;
    const fua = kind !== "flush" && this.#random.chance(fuaChance);
    const operation = history.begin(name, { kind, block, blocks, value, fua });
    let flags = fua ? wire.FUA : 0;
    if (kind === "zero" && this.#random.chance(0.3)) flags |= this.#random.pick([wire.NO_HOLE, wire.FAST_ZERO]);
    if (kind === "read" && this.#agreement?.structured === true && this.#random.chance(tongue.dfChance)) {
      flags |= structured.DF;
    }
    if (kind === "status" && this.#random.chance(tongue.reqOneChance)) flags |= structured.REQ_ONE;
    return [this.#sign({ command, flags, offset: block * blockBytes, length: blocks * blockBytes }, operation, 0)];
  }

  /** A request that never reaches the server, and the error that it deserves. */
  #invalid(): Buffer[] {
    const { blocks, blockBytes } = this.#around;
    const pastEnd = { offset: (blocks - 1) * blockBytes, length: 2 * blockBytes, flags: 0 };
    const whole = { offset: 0, length: blockBytes };
    const isStructured = this.#agreement?.structured === true;
    const hasContexts = (this.#agreement?.contexts.size ?? 0) > 0;
    const [question, expectedError] = this.#random.pick<readonly [Question, number]>([
      [{ command: wire.READ, ...pastEnd }, wire.EINVAL],
      [{ command: wire.WRITE, ...pastEnd }, wire.ENOSPC],
      [{ command: wire.WRITE_ZEROES, ...pastEnd }, wire.ENOSPC],
      [{ command: wire.TRIM, ...pastEnd }, wire.EINVAL],
      [{ command: structured.BLOCK_STATUS, ...pastEnd }, wire.EINVAL],
      [{ command: 77, offset: 0, length: 0, flags: 0 }, wire.EINVAL],
      [{ command: wire.READ, ...whole, flags: isStructured ? structured.REQ_ONE : structured.DF }, wire.EINVAL],
      [{ command: structured.BLOCK_STATUS, ...whole, flags: hasContexts ? structured.DF : 0 }, wire.EINVAL],
    ]);
    const header = this.#sign(question, undefined, expectedError);
    return question.command === wire.WRITE ? [header, Buffer.alloc(question.length, 0xee)] : [header];
  }

  /** Gives a request a cookie, and keeps it until it is answered. */
  #sign(question: Question, operation: Operation | undefined, expectedError: number): Buffer {
    const { blocks, blockBytes } = this.#around;
    this.#cookies += 1n;
    const request = { ...question, cookie: this.#cookies };
    const contexts = this.#agreement?.contexts ?? new Map<number, string>();
    const judge = new ChunkJudge({ request, contexts, disk: { blocks, blockBytes } });
    this.#asked.set(request.cookie, { operation, request, expectedError, judge });
    return wire.requestHeader(request);
  }

  *#receiveReply(agreement: ClientAgreement): Talk {
    const header = Buffer.from(yield 16);
    const magic = header.readUInt32BE(0);
    const asked = this.#asked.get(header.readBigUInt64BE(8));
    if (asked === undefined) yield* this.#lose(`a reply that answers nothing: ${header.toString("hex")}`);
    else if (magic === wire.REPLY_MAGIC) yield* this.#receiveSimple(asked, header.readUInt32BE(4), agreement);
    else if (magic === structured.CHUNK_MAGIC && agreement.structured) yield* this.#receiveChunk(asked, header);
    else yield* this.#lose(`a reply of no known form: ${header.toString("hex")}`);
  }

  *#receiveSimple(asked: Asked, error: number, agreement: ClientAgreement): Talk {
    const { command, cookie, length } = asked.request;
    const mustBeChunks = command === wire.READ || (command === structured.BLOCK_STATUS && error === 0);
    if (agreement.structured && mustBeChunks) {
      yield* this.#lose(`a simple reply to command ${command}`);
      return;
    }
    const data = error === 0 && command === wire.READ ? yield length : NO_DATA;
    this.#asked.delete(cookie);
    this.#answered(asked, { error, data, statuses: new Map() });
  }

  *#receiveChunk(asked: Asked, header: Buffer): Talk {
    const length = (yield 4).readUInt32BE(0);
    if (length > asked.judge.longestBytes) {
      yield* this.#lose(`a chunk of ${length} bytes`);
      return;
    }
    const payload = length === 0 ? NO_DATA : yield length;
    let told: Told | undefined;
    try {
      told = asked.judge.take(header.readUInt16BE(4), header.readUInt16BE(6), payload);
    } catch (error) {
      yield* this.#lose(`a reply to command ${asked.request.command} with ${(error as Error).message}`);
    }
    if (told === undefined) return;
    this.#asked.delete(asked.request.cookie);
    this.#answered(asked, told);
  }

  /** The proxy has lost its wits, and there is no going on. */
  *#lose(what: string): Talk {
    this.#around.report(`client ${this.#script.name} got ${what}`);
    this.#vanish();
    yield Infinity;
  }

  #answered({ operation, request, expectedError }: Asked, { error, data, statuses }: Told): void {
    const { mayFail, history, report, clock, stopping } = this.#around;
    if (operation === undefined) {
      if (error !== expectedError) report(`an invalid request was answered ${error} instead of ${expectedError}`);
    } else {
      // Who is being hung up on may be told that what was not sent to the server yet will not be.
      const hungUp = error === wire.ESHUTDOWN && ((this.#leaving && this.#script.goodbye === "rude") || stopping());
      const allowed = error === 0 || hungUp || (ERRORS.has(error) && mayFail(operation));
      if (!allowed) report(`#${operation.number} was answered with error ${error}`);
      if (error === 0) operation.results.push(...this.#results(request, data, statuses));
      history.finish(operation, error);
    }
    if (this.#random.chance(this.#script.deafChance)) {
      this.#stream?.pause();
      clock.setTimer(this.#random.between(0, 20), () => this.#stream?.resume());
    }
    this.#ask();
  }

  /** What a good answer tells of each block. */
  #results({ offset }: wire.WireRequest, data: Buffer, statuses: Told["statuses"]): readonly number[] {
    const { blockBytes } = this.#around;
    const values: number[] = [];
    for (let at = 0; at < data.length; at += blockBytes) {
      values.push(blockValue(data, at, (offset + at) / blockBytes, blockBytes));
    }
    const allocation = statuses.get(structured.BASE_ALLOCATION) ?? [];
    return [...values, ...knownBlocks(allocation, offset, blockBytes)];
  }

  #send(chunks: readonly Buffer[]): void {
    if (chunks.length > 0) this.#stream?.write(chunks);
  }
}

function isReadLike(kind: Operation["kind"]): boolean {
  return kind === "read" || kind === "status";
}

const NO_DATA = Buffer.alloc(0);
const ERRORS: ReadonlySet<number> = new Set([wire.EPERM, wire.EIO, wire.EINVAL, wire.ENOSPC]);
