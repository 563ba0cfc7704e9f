import type { Socket } from "node:net";

/** The bytes that come out of a socket, in the portions that are wanted. */
export class Incoming {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#over = true;
      this.#wake?.();
    });
  }

  /** Waits for exactly that many bytes; rejects when the connection ends before. */
  async take(count: number): Promise<Buffer> {
    while (this.#bytes < count) {
      if (this.#over) throw new Error(`the connection ended ${count - this.#bytes} bytes too early`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    this.#bytes -= count;
    if (this.#bytes > 0) this.#chunks.push(all.subarray(count));
    return all.subarray(0, count);
  }
}
