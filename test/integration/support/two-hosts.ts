import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";
import { ROOT } from "./build.ts";
import { uriOf } from "./endpoints.ts";
import { requires } from "./requires.ts";
import type { DeclareSuite } from "./requires.ts";
import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { Spawned } from "./spawned.ts";

const SERVER_ADDRESS = "192.0.2.1";
const PROXY_ADDRESS = "192.0.2.2";
const PORT = 10_809;
const LISTEN_STATE = "0A";

let pairs = 0;

/**
 * Two network namespaces with a cable between them, one for a server and one for the proxy. What the cable carries can be
 * dropped, so that neither end gets any sign of the other: not even a reset.
 */
export class TwoHosts {
  readonly #server: string;
  readonly #proxy: string;

  private constructor(name: string) {
    this.#server = `${name}-server`;
    this.#proxy = `${name}-proxy`;
  }

  /** Makes a pair; it is removed at the end, after what runs there. */
  static async create(): Promise<TwoHosts> {
    pairs += 1;
    const hosts = new TwoHosts(`nbd-${process.pid}-${pairs}`);
    const ends = [
      [hosts.#server, SERVER_ADDRESS, "server"],
      [hosts.#proxy, PROXY_ADDRESS, "proxy"],
    ] as const;
    for (const [name] of ends) {
      await run("ip", "netns", "add", name);
      atEnd(async () => void (await run("ip", "netns", "delete", name)));
    }
    const [from, to] = [hosts.#server, hosts.#proxy];
    await run("ip", "link", "add", "server", "netns", from, "type", "veth", "peer", "name", "proxy", "netns", to);
    for (const [name, address, device] of ends) {
      await run("ip", "-netns", name, "address", "add", `${address}/24`, "dev", device);
      await run("ip", "-netns", name, "link", "set", device, "up");
    }
    return hosts;
  }

  /** Starts an nbdkit with a file on the one host. */
  async startServer(imagePath: string): Promise<void> {
    const where = ["--ipaddr", SERVER_ADDRESS, "--port", String(PORT)];
    const server = this.#spawn(this.#server, "nbdkit", ["--exit-with-parent", ...where, "file", imagePath]);
    const port = PORT.toString(16).toUpperCase();
    await server.until("to listen", async () => {
      const rows = await readFile(`/proc/${server.pid}/net/tcp`, "utf8");
      return rows.includes(`:${port} 00000000:0000 ${LISTEN_STATE}`);
    });
  }

  /** Starts the proxy on the other host; its clients are on neither and use a UNIX socket. */
  async startProxy(
    ...args: readonly string[]
  ): Promise<{ readonly process: Spawned; readonly endpoint: Endpoint; readonly uri: string }> {
    const endpoint: Endpoint = { kind: "unix", path: join(await scratchFolder(), "socket") };
    const where = ["--addr", endpoint.path, "--conn-addr", SERVER_ADDRESS, "--conn-port", String(PORT)];
    const program = [join(ROOT, "dist", "main.js"), ...where, ...args];
    const proxy = this.#spawn(this.#proxy, process.execPath, program);
    await proxy.until("to listen", () =>
      stat(endpoint.path).then(
        (status) => status.isSocket(),
        () => false,
      ),
    );
    return { process: proxy, endpoint, uri: uriOf(endpoint) };
  }

  /** From now on nothing arrives on either host. */
  async cut(): Promise<void> {
    const rules = "table inet cut { chain input { type filter hook input priority 0; policy drop; }; }";
    for (const name of [this.#server, this.#proxy]) {
      await run("ip", "netns", "exec", name, "nft", rules);
    }
  }

  /** Everything arrives again. */
  async mend(): Promise<void> {
    for (const name of [this.#server, this.#proxy]) {
      await run("ip", "netns", "exec", name, "nft", "delete table inet cut");
    }
  }

  #spawn(host: string, program: string, args: readonly string[]): Spawned {
    return new Spawned("ip", ["netns", "exec", host, program, ...args]);
  }
}

/** A `describe` for suites with TwoHosts, which take root and these programs; see `requires`. */
export function requiresTwoHosts(...programs: readonly string[]): DeclareSuite {
  const isRoot = process.getuid?.() === 0;
  return requires("ip", "nft", "nbdkit", ...programs, ...(isRoot ? [] : ["root"]));
}
