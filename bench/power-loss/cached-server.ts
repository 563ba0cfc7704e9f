import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ServerArguments } from "../recovery/restartable-server.ts";

/** How long it takes to make one block of the cache stable: nobody comes to the end of a FLUSH before the power is lost. */
const SLOW_FLUSH = ["--filter=delay", "wdelay=10ms"] as const;

/** A file behind nbdkit's write-back cache, which goes when nbdkit is killed. */
export class CachedServer {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the file. */
  static async create(sizeBytes: number): Promise<CachedServer> {
    const server = new CachedServer(await mkdtemp(join(tmpdir(), "flexnbd-proxy-bench-")));
    await writeFile(server.#path, "");
    await truncate(server.#path, sizeBytes);
    return server;
  }

  /** The server that takes long to flush. */
  readonly slowToFlush: ServerArguments = (port) => this.#arguments(port, SLOW_FLUSH);

  /** The server that comes in its place. */
  readonly plain: ServerArguments = (port) => this.#arguments(port, []);

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, "disk");
  }

  #arguments(port: number, [filter, ...parameters]: readonly string[]): string[] {
    return [
      ...["--foreground", "--ipaddr=127.0.0.1", `--port=${port}`, "--filter=cache"],
      ...(filter === undefined ? [] : [filter]),
      ...["file", this.#path, "cache=writeback", ...parameters],
    ];
  }
}
