type Allocate = (lengthBytes: number, ...rest: readonly never[]) => Buffer;

const NAMES = ["alloc", "allocUnsafe", "allocUnsafeSlow"] as const;

/** Sees every buffer that is made while it watches: memory taken by a claimed length shows, whether or not it is kept. */
export class AllocationWatch {
  readonly #originals = NAMES.map((name) => Buffer[name].bind(Buffer) as Allocate);
  #largestBytes = 0;
  #totalBytes = 0;

  /** The largest buffer since `reset`. */
  get largestBytes(): number {
    return this.#largestBytes;
  }

  /** All buffers since `reset` together. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  reset(): void {
    this.#largestBytes = 0;
    this.#totalBytes = 0;
  }

  start(): void {
    NAMES.forEach((name, index) => {
      const original = this.#originals[index] as Allocate;
      Buffer[name] = (lengthBytes: number, ...rest: readonly never[]) => {
        this.#largestBytes = Math.max(this.#largestBytes, lengthBytes);
        this.#totalBytes += lengthBytes;
        return original(lengthBytes, ...rest) as never;
      };
    });
  }

  stop(): void {
    NAMES.forEach((name, index) => {
      Buffer[name] = this.#originals[index] as never;
    });
  }
}
