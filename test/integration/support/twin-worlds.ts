import { proxyTo } from "./chain.ts";
import type { RunningProxy } from "./chain.ts";
import type { ClientPlace, ClientProgram } from "./client-programs.ts";
import type { ComparedServer } from "./compared-servers.ts";
import { asProxied, withoutVarying } from "./known-differences.ts";
import type { Difference } from "./known-differences.ts";
import type { RealServer } from "./real-server.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { sparseImage } from "./sparse-image.ts";

/** What two runs of a client program said: what it should say before the proxy, and what it does. */
export interface Comparison {
  readonly expected: string;
  readonly found: string;
}

/** Two servers of one kind with equal disks, one for clients as it is, the other behind a proxy. */
export class TwinWorlds {
  readonly proxy: RunningProxy;
  /** The server behind the proxy. */
  readonly server: RealServer;
  readonly #kind: ComparedServer;
  readonly #alone: RealServer;
  readonly #imagePath: string;
  readonly #folder: string;

  private constructor(
    kind: ComparedServer,
    proxy: RunningProxy,
    servers: readonly [alone: RealServer, behind: RealServer],
    files: { readonly imagePath: string; readonly folder: string },
  ) {
    this.#kind = kind;
    this.proxy = proxy;
    [this.#alone, this.server] = servers;
    this.#imagePath = files.imagePath;
    this.#folder = files.folder;
  }

  /** Starts all of it. */
  static async create(kind: ComparedServer): Promise<TwinWorlds> {
    const [alone, behind] = [await kind.start(), await kind.start()];
    const proxy = await proxyTo(behind, { args: ["--max-clients=8"] });
    const files = { imagePath: await sparseImage(), folder: await scratchFolder() };
    return new TwinWorlds(kind, proxy, [alone, behind], files);
  }

  /**
   * Runs a program in both. What writes must be run in both alike, so that the disks stay equal. `afterLoss`: the server
   * behind the proxy may be lost meanwhile, or was before. Adds the wanted differences that were found to `used`.
   */
  async compare(program: ClientProgram, afterLoss: boolean, used = new Set<Difference>()): Promise<Comparison> {
    const direct = await this.#run(program, this.#alone.uri, afterLoss);
    const found = await this.#run(program, this.proxy.uri, afterLoss);
    return { expected: asProxied(direct, this.#kind.name, program.name, used), found };
  }

  /** Ends all of it; returns what the proxy had to say. */
  async end(): Promise<string> {
    await this.proxy.process.stop();
    await Promise.all([this.#alone.stop(), this.server.stop()]);
    return this.proxy.process.stderr;
  }

  async #run(program: ClientProgram, uri: string, afterLoss: boolean): Promise<string> {
    const place: ClientPlace = { uri, folder: this.#folder, imagePath: this.#imagePath };
    return withoutVarying(await program.run(place), place, afterLoss);
  }
}
