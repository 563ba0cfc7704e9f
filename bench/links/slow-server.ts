import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { freePort, untilListening } from "../listening-port.ts";
import type { ProcessGroup, ProcessGroups } from "../process-groups.ts";
import type { Link } from "./link.ts";
import { loggedReadBytes } from "./read-log.ts";

/** A log that did not grow for so long is complete: longer than the links delay a request. */
const QUIET_MS = 40;

/** An nbdkit at the end of a link, whose log tells what it was asked for. */
export class SlowServer {
  readonly port: number;
  readonly #group: ProcessGroup;
  readonly #folder: string;
  #position = 0;

  private constructor(port: number, group: ProcessGroup, folder: string) {
    this.port = port;
    this.#group = group;
    this.#folder = folder;
  }

  /** Starts it with a disk of that size, which holds at every place the number of that place. */
  static async start(groups: ProcessGroups, link: Link, sizeBytes: number): Promise<SlowServer> {
    const folder = await mkdtemp(join(tmpdir(), "flexnbd-proxy-bench-"));
    const port = await freePort();
    const filters = ["log", ...link.filters].map((filter) => `--filter=${filter}`);
    const group = groups.start("nbdkit", [
      ...["--foreground", "--ipaddr=127.0.0.1", `--port=${port}`, ...filters],
      ...["pattern", `size=${sizeBytes}`, ...link.parameters, `logfile=${logIn(folder)}`],
    ]);
    const server = new SlowServer(port, group, folder);
    try {
      await untilListening(port, group);
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  /** The bytes that were asked for since it was last called, once nothing more is asked for. */
  async takeFetchedBytes(): Promise<number> {
    const path = logIn(this.#folder);
    let sizeBytes = -1;
    for (let last = -2; last !== sizeBytes; await delay(QUIET_MS)) {
      last = sizeBytes;
      sizeBytes = (await stat(path)).size;
    }
    const begin = this.#position;
    this.#position = sizeBytes;
    const file = await open(path);
    try {
      const { buffer } = await file.read({ buffer: Buffer.alloc(sizeBytes - begin), position: begin });
      return loggedReadBytes(buffer.toString("latin1"));
    } finally {
      await file.close();
    }
  }

  async end(): Promise<void> {
    await this.#group.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function logIn(folder: string): string {
  return join(folder, "requests.log");
}
