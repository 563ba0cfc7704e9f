import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Both ends of a FIFO, which like a socket does not block and knows no positions. */
export class Fifo {
  readonly readFd: number;
  readonly writeFd: number;
  readonly #folder: string;
  #canRead = true;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "flexnbd-"));
    const path = join(this.#folder, "fifo");
    execFileSync("mkfifo", [path]);
    this.readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writeFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  }

  /** From now on nobody reads it. */
  closeReadEnd(): void {
    if (this.#canRead) closeSync(this.readFd);
    this.#canRead = false;
  }

  /** To be called at the end. */
  remove(): void {
    this.closeReadEnd();
    closeSync(this.writeFd);
    rmSync(this.#folder, { recursive: true });
  }
}
