import { fillBlocks, INITIAL } from "./block-content.ts";

/** What the model server keeps. It is stable at once: a crash loses nothing that was carried out. */
export class ModelDisk {
  readonly blockBytes: number;
  readonly #content: Buffer;

  constructor(blocks: number, blockBytes: number) {
    this.blockBytes = blockBytes;
    this.#content = Buffer.alloc(blocks * blockBytes);
    fillBlocks(this.#content, 0, blockBytes, INITIAL);
  }

  get sizeBytes(): number {
    return this.#content.length;
  }

  read(offset: number, into: Buffer): void {
    this.#content.copy(into, 0, offset, offset + into.length);
  }

  write(offset: number, bytes: Buffer): void {
    bytes.copy(this.#content, offset);
  }

  zero(offset: number, length: number): void {
    this.#content.fill(0, offset, offset + length);
  }
}
