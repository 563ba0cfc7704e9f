import { stat } from "node:fs/promises";
import { expect } from "vitest";

import { scratchFolder } from "./scratch-folder.ts";
import { Spawned } from "./spawned.ts";

/** How much a VerifiedLoad does, and how fast. */
export interface VerifiedLoadOptions {
  readonly uri: string;
  /** The file behind the disk, still without content. */
  readonly imagePath: string;
  readonly sizeBytes: number;
  /** Blocks of 4 KiB per second, written and read back: what makes it last. */
  readonly blocksPerSecond: number;
  /** How often everything is written anew. */
  readonly loops: number;
}

/** A client that writes random blocks, 16 at a time, and reads every one of them back to check its checksum (fio). */
export class VerifiedLoad {
  readonly #fio: Spawned;

  private constructor(fio: Spawned) {
    this.#fio = fio;
  }

  /** Starts it, and waits until some of it has reached the file. */
  static async start(options: VerifiedLoadOptions): Promise<VerifiedLoad> {
    // fio's state files would otherwise land where the tests were started.
    const folder = await scratchFolder();
    const fio = new Spawned("fio", [
      "--name=load",
      "--ioengine=nbd",
      `--uri=${options.uri}`,
      `--aux-path=${folder}`,
      "--rw=randwrite",
      "--bs=4k",
      "--iodepth=16",
      `--size=${options.sizeBytes}`,
      `--loops=${options.loops}`,
      `--rate_iops=${options.blocksPerSecond}`,
      "--verify=crc32c",
      "--verify_backlog=32",
      "--verify_fatal=1",
      "--verify_state_save=0",
    ]);
    await fio.until("to write", async () => (await stat(options.imagePath)).blocks > 0);
    return new VerifiedLoad(fio);
  }

  /** Throws when it has ended already: what was to happen under it did not. */
  expectStillRunning(): void {
    expect(this.#fio.outcome, `the load is over:\n${this.#output}`).toBeUndefined();
  }

  /** Waits for the end: no request failed, and no byte was wrong. */
  async expectCleanEnd(): Promise<void> {
    const outcome = await this.#fio.exited();
    expect(outcome.status, this.#output).toBe(0);
    expect(this.#fio.stdout).toContain("err= 0");
  }

  get #output(): string {
    return `${this.#fio.stdout}\n${this.#fio.stderr}`;
  }
}
