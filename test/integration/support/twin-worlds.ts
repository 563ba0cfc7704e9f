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
  readonly #direct: ClientPlace;
  readonly #proxied: ClientPlace;

  private constructor(
    kind: ComparedServer,
    proxy: RunningProxy,
    server: RealServer,
    places: readonly [ClientPlace, ClientPlace],
  ) {
    this.#kind = kind;
    this.proxy = proxy;
    this.server = server;
    [this.#direct, this.#proxied] = places;
  }

  /** Starts all of it. */
  static async create(kind: ComparedServer): Promise<TwinWorlds> {
    const [alone, server] = [await kind.start(), await kind.start()];
    const proxy = await proxyTo(server, { args: ["--max-clients=8"] });
    const imagePath = await sparseImage();
    const direct = { uri: alone.uri, folder: await scratchFolder(), imagePath };
    const proxied = { uri: proxy.uri, folder: await scratchFolder(), imagePath };
    return new TwinWorlds(kind, proxy, server, [direct, proxied]);
  }

  /** Runs a program in both. What writes must be run in both alike, so that the disks stay equal. */
  async compare(program: ClientProgram, used = new Set<Difference>()): Promise<Comparison> {
    const direct = withoutVarying(await program.run(this.#direct), this.#direct);
    const found = withoutVarying(await program.run(this.#proxied), this.#proxied);
    return { expected: asProxied(direct, this.#kind.name, program.name, used), found };
  }
}
