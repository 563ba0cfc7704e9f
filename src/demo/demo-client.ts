import type { Piece, Reply } from "../disk.ts";
import type { Clock } from "../ports/clock.ts";
import { COMMAND, NBD_ERROR } from "../protocol/constants.ts";
import type { Slice } from "../transport/slice.ts";
import { Connector, type ConnectorOptions } from "../upstream/connector.ts";
import type { InFlight } from "../upstream/in-flight.ts";
import { InFlightTable } from "../upstream/in-flight-table.ts";
import { type Negotiated, type SessionOwner, UpstreamSession } from "../upstream/upstream-session.ts";

/** A proxy that has lost a request shows here, instead of a demo that never ends. */
const ANSWER_WITHIN_MS = 60_000;

interface Wanted {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly payload: readonly Slice[];
}

/** An ordinary client with one connection. It does not reconnect: when the connection is lost, every request rejects. */
export class DemoClient implements SessionOwner {
  readonly #clock: Clock;
  readonly #negotiated: Negotiated;
  readonly #session: UpstreamSession;
  readonly #table = new InFlightTable();
  readonly #rejections = new Map<InFlight, (error: Error) => void>();
  #failure: Error | undefined;
  #longestWaitMs = 0;

  private constructor(negotiated: Negotiated, clock: Clock) {
    this.#clock = clock;
    this.#negotiated = negotiated;
    this.#session = new UpstreamSession(negotiated, this, {
      clock,
      silenceMs: ANSWER_WITHIN_MS,
      idleMs: undefined,
      strict: false,
    });
    this.#session.begin();
  }

  /** Connects, with a single attempt. */
  static connect(options: ConnectorOptions): Promise<DemoClient> {
    return new Promise((resolve, reject) => {
      new Connector(options).connect({
        negotiated: (connection) => resolve(new DemoClient(connection, options.clock)),
        failed: reject,
      });
    });
  }

  /** The longest time that a request took to be answered. */
  get longestWaitMs(): number {
    return this.#longestWaitMs;
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#table.count;
  }

  /** Reads a range into a buffer of its own. */
  async read(offset: number, length: number): Promise<Buffer> {
    return this.#request({ command: COMMAND.READ, offset, length, payload: [] }, ({ pieces }) => {
      return Buffer.concat(pieces.map(bytesOf), length);
    });
  }

  async write(offset: number, payload: Slice): Promise<void> {
    const write = { command: COMMAND.WRITE, offset, length: payload.length, payload: [payload] };
    await this.#request(write, () => undefined);
  }

  async flush(): Promise<void> {
    await this.#request({ command: COMMAND.FLUSH, offset: 0, length: 0, payload: [] }, () => undefined);
  }

  /** Leaves the polite way. */
  async disconnect(): Promise<void> {
    this.#failure ??= new Error("the client has left");
    await this.#session.disconnect();
  }

  /** Leaves at once. */
  abort(): void {
    this.#fail(new Error("the client has left"));
  }

  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    return this.#table.find(cookieHigh, cookieLow);
  }

  replied(entry: InFlight, reply: Reply): void {
    this.#table.remove(entry);
    this.#rejections.delete(entry);
    entry.request.complete(reply);
  }

  lost(_session: UpstreamSession, why: Error): void {
    this.#fail(new Error(`the client's connection was lost: ${why.message}`, { cause: why }));
  }

  over(): void {
    // What there was to say was said when the connection was lost.
  }

  silent(): void {
    this.#fail(new Error(`a request was not answered within ${ANSWER_WITHIN_MS / 1000} s`));
  }

  heardAgain(): void {
    // Silence has ended the demo.
  }

  idle(): void {
    // Never asked for.
  }

  /** Sends a request; `take` makes the answer from a successful reply, which is good during the call only. */
  #request<Answer>(wanted: Wanted, take: (reply: Reply) => Answer): Promise<Answer> {
    const sentAtMs = this.#clock.nowMs();
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const complete = (reply: Reply): void => {
        this.#longestWaitMs = Math.max(this.#longestWaitMs, this.#clock.nowMs() - sentAtMs);
        if (reply.error === 0) resolve(take(reply));
        else reject(new Error(`the server answered with an error, ${errorName(reply.error)}`));
      };
      const entry = this.#table.add({ ...wanted, flags: 0, room: undefined, complete }, undefined);
      this.#rejections.set(entry, reject);
      this.#session.send(entry, undefined);
    });
  }

  #fail(why: Error): void {
    this.#failure ??= why;
    this.#negotiated.stream.destroy();
    for (const reject of this.#rejections.values()) reject(this.#failure);
    this.#rejections.clear();
  }
}

function bytesOf(piece: Piece): Buffer {
  return piece.kind === "data" ? piece.slice.bytes() : Buffer.alloc(piece.lengthBytes);
}

/** The protocol's name of an error value. */
function errorName(error: number): string {
  return Object.entries(NBD_ERROR).find(([, value]) => value === error)?.[0] ?? String(error);
}
