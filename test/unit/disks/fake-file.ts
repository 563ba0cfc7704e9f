import type { FileCallback, OpenFile } from "../../../src/disks/open-file.ts";

/** A file in memory that records what is asked of it, moves as few bytes as wanted, and fails when told to. */
export class FakeFile implements OpenFile {
  readonly sizeBytes: number;
  readonly bytes: Buffer;
  readonly calls: string[] = [];
  mostBytes = Infinity;
  failure: NodeJS.ErrnoException | null = null;
  atOnce = 0;
  mostAtOnce = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.bytes = Buffer.alloc(sizeBytes);
  }

  read(target: Buffer, offset: number, callback: FileCallback): void {
    this.#later("read", () => {
      const count = Math.min(target.length, this.mostBytes, this.sizeBytes - offset);
      this.bytes.copy(target, 0, offset, offset + count);
      callback(this.failure, count);
    });
  }

  write(chunks: readonly Buffer[], offset: number, callback: FileCallback): void {
    this.#later("write", () => {
      const bytes = Buffer.concat(chunks);
      const count = Math.min(bytes.length, this.mostBytes);
      bytes.copy(this.bytes, offset, 0, count);
      callback(this.failure, count);
    });
  }

  sync(callback: (error: NodeJS.ErrnoException | null) => void): void {
    this.#later("sync", () => callback(this.failure));
  }

  close(): Promise<void> {
    this.calls.push("close");
    return Promise.resolve();
  }

  #later(call: string, act: () => void): void {
    this.calls.push(call);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    setImmediate(() => {
      this.atOnce -= 1;
      act();
    });
  }
}
