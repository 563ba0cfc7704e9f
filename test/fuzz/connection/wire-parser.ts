/** A request as it stands on the wire. */
export interface WireRequest {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
}

/** Who is told what a WireParser finds. */
export interface WireListener {
  /** The 28 bytes of a request are there. */
  header(request: WireRequest): void;
  /** And its payload. */
  whole(request: WireRequest, payload: Buffer): void;
  /** What cannot be: the proxy itself must not talk nonsense. */
  nonsense(what: string): void;
}

const WRITE = 1;
const REQUEST_MAGIC = 0x25609513;

/** Reads all that a client says to a server, handshake and requests, in the plainest way. */
export class WireParser {
  readonly #listener: WireListener;
  #bytes: Buffer = Buffer.alloc(0);
  #flagsSeen = false;
  #current: WireRequest | undefined;
  /** Whether requests have begun. */
  transmission = false;

  constructor(listener: WireListener) {
    this.#listener = listener;
  }

  feed(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    while (this.#step()) continue;
  }

  #step(): boolean {
    const bytes = this.#bytes;
    if (this.#current !== undefined) return this.#payload(this.#current);
    if (bytes.length < 4) return false;
    if (bytes.readUInt32BE(0) === REQUEST_MAGIC) return this.#header();
    if (this.transmission) return this.#give("something that is no request");
    if (!this.#flagsSeen) {
      this.#flagsSeen = true;
      return bytes.readUInt32BE(0) <= 3 ? this.#take(4) : this.#give("strange client flags");
    }
    if (bytes.length < 16) return false;
    if (bytes.toString("latin1", 0, 8) !== "IHAVEOPT") return this.#give("something that is no option");
    const end = 16 + bytes.readUInt32BE(12);
    return bytes.length >= end && this.#take(end);
  }

  #header(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 28) return false;
    this.transmission = true;
    this.#current = {
      flags: bytes.readUInt16BE(4),
      command: bytes.readUInt16BE(6),
      cookie: bytes.readBigUInt64BE(8),
      offset: Number(bytes.readBigUInt64BE(16)),
      length: bytes.readUInt32BE(24),
    };
    this.#take(28);
    this.#listener.header(this.#current);
    return true;
  }

  #payload(request: WireRequest): boolean {
    const length = request.command === WRITE ? request.length : 0;
    if (this.#bytes.length < length) return false;
    const payload = this.#bytes.subarray(0, length);
    this.#take(length);
    this.#current = undefined;
    this.#listener.whole(request, payload);
    return true;
  }

  #take(count: number): true {
    this.#bytes = this.#bytes.subarray(count);
    return true;
  }

  #give(what: string): false {
    this.#bytes = Buffer.alloc(0);
    this.#listener.nonsense(`the proxy said ${what}`);
    return false;
  }
}
