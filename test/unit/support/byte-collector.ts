import type { ByteStream, StreamReader } from "../../../src/ports/network.ts";

/** Reads a stream into memory of its own, and notes what happens to it. */
export class ByteCollector implements StreamReader {
  readonly events: string[] = [];
  drains = 0;
  readonly #chunks: Buffer[] = [];
  readonly #buffer: Buffer;
  /** Called with every read. */
  onReceived: (bytes: Buffer) => void = () => undefined;

  constructor(bufferBytes = 64 * 1024) {
    this.#buffer = Buffer.alloc(bufferBytes);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get byteCount(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  buffer(): Buffer {
    return this.#buffer;
  }

  received(count: number): void {
    const bytes = Buffer.from(this.#buffer.subarray(0, count));
    this.#chunks.push(bytes);
    this.onReceived(bytes);
  }

  drained(): void {
    this.drains += 1;
  }

  ended(): void {
    this.events.push("ended");
  }

  closed(error: Error | undefined): void {
    this.events.push(error === undefined ? "closed" : `closed ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Starts a stream with a collector that is returned. */
export function collect(stream: ByteStream, bufferBytes?: number): ByteCollector {
  const collector = new ByteCollector(bufferBytes);
  stream.start(collector);
  return collector;
}
