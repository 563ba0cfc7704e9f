import type { ByteStream, Endpoint } from "../../src/ports/network.ts";
import { blockValue, fillBlocks, ZEROS } from "./block-content.ts";
import type { Operation, OperationHistory } from "./operation-history.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { Connection, SimulatedNetwork } from "./simulated-network.ts";
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
}

/** What a client lives in. */
export interface ClientSurroundings {
  readonly endpoint: Endpoint;
  readonly network: SimulatedNetwork;
  readonly clock: SimulatedClock;
  readonly history: OperationHistory;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Whether the proxy may have to answer this with an error. */
  readonly mayFail: (operation: Operation) => boolean;
  /** The proxy is being stopped and may let clients go. */
  readonly stopping: () => boolean;
  readonly report: (violation: string) => void;
}

/** A request that waits for its reply: what it was, or which error has to answer it. */
interface Asked {
  readonly operation: Operation | undefined;
  readonly dataBytes: number;
  readonly expectedError: number;
}

/** A client of the proxy that speaks the wire with a codec of its own, and writes down what it asked and was told. */
export class SimulatedClient {
  readonly #script: ClientScript;
  readonly #around: ClientSurroundings;
  readonly #random: SeededRandom;
  readonly #asked = new Map<bigint, Asked>();
  #stream: ByteStream | undefined;
  #connection: Connection | undefined;
  #talker: Talker | undefined;
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
    const accepted = this.#leaving || this.#connection?.severed === true || stopping();
    if (!accepted) report(`the proxy hung up on client ${name}`);
    const polite = this.#leaving && this.#connection?.severed !== true;
    if (polite && goodbye === "polite" && this.#asked.size > 0 && !stopping()) {
      report(`the proxy left requests unanswered that client ${name} had sent before DISC`);
    }
    if (polite && goodbye === "half-close") this.#expectPromises();
    this.#finish();
  }

  /** What was sent before a DISC is carried out, though nobody hears of it. */
  #expectPromises(): void {
    for (const { operation } of this.#asked.values()) {
      if (operation !== undefined && operation.kind !== "read") operation.promised = true;
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#talker?.stop();
    this.#isOver?.();
  }

  *#talk(): Talk {
    const { eager, handshake } = this.#script;
    const noZeroes = this.#random.chance(0.8);
    const opening = [wire.u32(noZeroes ? 3 : 1)];
    if (handshake === "info-then-go") opening.push(wire.option(wire.INFO, wire.exportQuery("", [3])));
    if (handshake === "export-name") opening.push(wire.option(wire.EXPORT_NAME, Buffer.alloc(0)));
    else opening.push(wire.option(wire.GO, wire.exportQuery("", this.#random.chance(0.5) ? [3] : [])));
    if (eager) this.#send(opening);
    const greeting = yield 18;
    if (!greeting.equals(wire.greeting(true))) this.#around.report("the proxy's greeting is wrong");
    if (!eager) this.#send(opening);
    if (handshake === "export-name") this.#learn(yield 10);
    if (handshake === "export-name" && !noZeroes) yield 124;
    if (handshake === "info-then-go") yield* this.#hear(wire.INFO);
    if (handshake !== "export-name") yield* this.#hear(wire.GO);
    this.#ask();
    for (;;) yield* this.#receiveReply();
  }

  /** Hears the answers to INFO or GO. */
  *#hear(number: number): Talk {
    for (;;) {
      const header = yield 20;
      const type = header.readUInt32BE(12);
      const length = header.readUInt32BE(16);
      const answersUs = wire.isOptionReply(header) && header.readUInt32BE(8) === number;
      if (!answersUs) this.#around.report("the proxy's option reply answers nothing that was asked");
      const data = length === 0 ? Buffer.alloc(0) : yield length;
      if (type === wire.ACK) return;
      if (type !== wire.REP_INFO) this.#around.report(`the proxy answered option ${number} with ${type}`);
      else if (data.readUInt16BE(0) === 0) this.#learn(data.subarray(2));
    }
  }

  #learn(fields: Buffer): void {
    const { blocks, blockBytes, report } = this.#around;
    const sizeBytes = Number(fields.readBigUInt64BE(0));
    if (sizeBytes !== blocks * blockBytes) report(`the proxy offers ${sizeBytes} bytes`);
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
      goodbye === "rude" ? rude : this.#header({ command: wire.DISC, flags: 0, cookie: 0n, offset: 0, length: 0 }),
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
    const { auditor, flushShare, invalidChance, largestBlocks, readShare } = this.#script;
    const { blocks, history, blockBytes } = this.#around;
    if (auditor) return this.#ordinary(wire.READ, "read", this.#left, 1);
    if (this.#random.chance(invalidChance)) return this.#invalid();
    const length = 1 + this.#random.integer(largestBlocks);
    const block = this.#random.integer(blocks - Math.min(length, blocks) + 1);
    const count = Math.min(length, blocks);
    if (this.#random.chance(readShare)) return this.#ordinary(wire.READ, "read", block, count);
    if (this.#random.chance(flushShare)) return this.#ordinary(wire.FLUSH, "flush", 0, 0);
    const kind = this.#random.next();
    if (kind < 0.12) return this.#ordinary(wire.WRITE_ZEROES, "zero", block, count);
    if (kind < 0.17) return this.#ordinary(wire.TRIM, "trim", block, count);
    const value = history.nextValue();
    const payload = Buffer.allocUnsafe(count * blockBytes);
    fillBlocks(payload, block, blockBytes, value);
    return [...this.#ordinary(wire.WRITE, "write", block, count, value), payload];
  }

  #ordinary(command: number, kind: Operation["kind"], block: number, blocks: number, value = ZEROS): Buffer[] {
    const { history, blockBytes } = this.#around;
    const fua = kind !== "flush" && this.#random.chance(this.#script.fuaChance);
    const operation = history.begin(this.#script.name, { kind, block, blocks, value, fua });
    const dataBytes = command === wire.READ ? blocks * blockBytes : 0;
    const cookie = this.#cookie({ operation, dataBytes, expectedError: 0 });
    let flags = fua ? wire.FUA : 0;
    if (kind === "zero" && this.#random.chance(0.3)) flags |= this.#random.pick([wire.NO_HOLE, wire.FAST_ZERO]);
    return [this.#header({ command, flags, cookie, offset: block * blockBytes, length: blocks * blockBytes })];
  }

  /** A request that never reaches the server, and the error that it deserves. */
  #invalid(): Buffer[] {
    const { blocks, blockBytes } = this.#around;
    const pastEnd = { offset: (blocks - 1) * blockBytes, length: 2 * blockBytes };
    const [command, expectedError, range] = this.#random.pick([
      [wire.READ, wire.EINVAL, pastEnd],
      [wire.WRITE, wire.ENOSPC, pastEnd],
      [wire.WRITE_ZEROES, wire.ENOSPC, pastEnd],
      [wire.TRIM, wire.EINVAL, pastEnd],
      [77, wire.EINVAL, { offset: 0, length: 0 }],
    ] as const);
    const cookie = this.#cookie({ operation: undefined, dataBytes: 0, expectedError });
    const header = this.#header({ command, flags: 0, cookie, ...range });
    return command === wire.WRITE ? [header, Buffer.alloc(range.length, 0xee)] : [header];
  }

  #cookie(asked: Asked): bigint {
    this.#cookies += 1n;
    this.#asked.set(this.#cookies, asked);
    return this.#cookies;
  }

  #header(request: wire.WireRequest): Buffer {
    return wire.requestHeader(request);
  }

  *#receiveReply(): Talk {
    const { report } = this.#around;
    const header = yield 16;
    const error = header.readUInt32BE(4);
    const cookie = header.readBigUInt64BE(8);
    const asked = this.#asked.get(cookie);
    if (header.readUInt32BE(0) !== wire.REPLY_MAGIC || asked === undefined) {
      report(`client ${this.#script.name} got a reply that answers nothing: ${header.toString("hex")}`);
      this.#vanish();
      yield Infinity;
      return;
    }
    const data = error === 0 && asked.dataBytes > 0 ? yield asked.dataBytes : NO_DATA;
    this.#asked.delete(cookie);
    this.#answered(asked, error, data);
  }

  #answered({ operation, expectedError }: Asked, error: number, data: Buffer): void {
    const { blockBytes, mayFail, history, report, clock, stopping } = this.#around;
    if (operation === undefined) {
      if (error !== expectedError) report(`an invalid request was answered ${error} instead of ${expectedError}`);
    } else {
      // Who is being hung up on may be told that what was not sent to the server yet will not be.
      const hungUp = error === wire.ESHUTDOWN && ((this.#leaving && this.#script.goodbye === "rude") || stopping());
      const allowed = error === 0 || hungUp || (ERRORS.has(error) && mayFail(operation));
      if (!allowed) report(`#${operation.number} was answered with error ${error}`);
      for (let at = 0; at < data.length; at += blockBytes) {
        operation.results.push(blockValue(data, at, operation.block + at / blockBytes, blockBytes));
      }
      history.finish(operation, error);
    }
    if (this.#random.chance(this.#script.deafChance)) {
      this.#stream?.pause();
      clock.setTimer(this.#random.between(0, 20), () => this.#stream?.resume());
    }
    this.#ask();
  }

  #send(chunks: readonly Buffer[]): void {
    if (chunks.length > 0) this.#stream?.write(chunks);
  }
}

const NO_DATA = Buffer.alloc(0);
const ERRORS: ReadonlySet<number> = new Set([wire.EPERM, wire.EIO, wire.EINVAL, wire.ENOSPC]);
