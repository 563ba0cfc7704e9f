import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startNbdsh } from "./nbdsh.ts";
import { scratchFolder } from "./scratch-folder.ts";
import type { Spawned } from "./spawned.ts";

/** Executes what is put into files, one after the other, and tells when each is done. */
const LOOP = `
import os, sys, time
step = 0
while True:
    path = "%s/%d" % (folder, step)
    while not os.path.exists(path): time.sleep(0.01)
    exec(open(path).read())
    print("\\0", end="", flush=True)
    step += 1
`;

/** A client of libnbd that stays connected while a test does other things. */
export class NbdshSession {
  readonly #process: Spawned;
  readonly #folder: string;
  #steps = 0;

  private constructor(process: Spawned, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /** Starts one, with a handle `h` that is not yet connected, for an export at `uri`. */
  static async start(uri: string): Promise<NbdshSession> {
    const folder = await scratchFolder();
    return new NbdshSession(startNbdsh(uri, `folder = ${JSON.stringify(folder)}\n${LOOP}`), folder);
  }

  /** Executes Python; returns what it printed, when it is done. */
  async run(code: string): Promise<string> {
    const done = this.begin(code);
    return done();
  }

  /** Begins to execute Python; what it returns waits for the end, and returns what was printed. */
  begin(code: string): () => Promise<string> {
    const step = this.#steps++;
    const path = join(this.#folder, String(step));
    // The whole file is there at once.
    const written = writeFile(`${path}.new`, code).then(() => rename(`${path}.new`, path));
    return async () => {
      await written;
      return this.#process.until(`to be done with step ${step}`, () => {
        const outputs = this.#process.stdout.split("\0");
        return step < outputs.length - 1 ? outputs[step] : undefined;
      });
    };
  }

  /** Whether the step that was begun last still runs. */
  get isBusy(): boolean {
    return this.#process.stdout.split("\0").length - 1 < this.#steps;
  }
}
