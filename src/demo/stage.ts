import { mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../limits.ts";
import type { Endpoint } from "../ports/network.ts";
import { PROXY_DEFAULTS } from "../config/proxy-config.ts";
import { Proxy } from "../proxy/proxy.ts";
import type { Surroundings } from "../proxy/surroundings.ts";
import { SlabPool } from "../transport/slab-pool.ts";
import { DemoClient } from "./demo-client.ts";
import { demoSizeBytes } from "./demo-plan.ts";
import { ServerProcess } from "./server-process.ts";

/** What a Stage is made of. */
export interface StageOptions {
  readonly around: Surroundings;
  /** The arguments of Node that run this program. */
  readonly program: readonly string[];
  /** `--verbose` or `--quiet`, for the server. */
  readonly verbosity: string;
  /** Gets what the server logs. */
  readonly log: (text: string) => void;
  /** The server ended though nobody killed it. */
  readonly died: (error: Error) => void;
}

const OWNER_ONLY = 0o600;
/** The longest path of a UNIX socket on any system, in bytes. */
const SOCKET_PATH_BYTES = 103;

/**
 * Everything that the demo plays with, in a temporary folder of its own: a server with a file, the proxy in front of it,
 * and a client. UNIX sockets, because a restarted server always gets its path back, which is not sure of a port.
 */
export class Stage {
  readonly sizeBytes: number;
  readonly server: ServerProcess;
  /** The server's file. */
  readonly diskPath: string;
  readonly #around: Surroundings;
  readonly #folder: string;
  readonly #serverSocket: Endpoint & { readonly kind: "unix" };
  #proxy: Proxy | undefined;
  #client: DemoClient | undefined;

  /** Makes the folder and an empty file in it. Throws when there is no place for them. */
  constructor({ around, program, verbosity, log, died }: StageOptions) {
    this.#around = around;
    this.sizeBytes = sizeThatFits();
    this.#folder = makeFolder();
    process.on("exit", this.#clearAway);
    this.diskPath = join(this.#folder, "disk.img");
    writeFileSync(this.diskPath, "", { mode: OWNER_ONLY });
    truncateSync(this.diskPath, this.sizeBytes);
    this.#serverSocket = { kind: "unix", path: join(this.#folder, "server.sock") };
    // Without the cache, the kernel would keep what a killed server had answered.
    const disk = ["--file", this.diskPath, "--write-cache"];
    this.server = new ServerProcess({
      args: [...program, "serve", ...disk, "--addr", this.#serverSocket.path, verbosity],
      socketPath: this.#serverSocket.path,
      log,
      died,
    });
  }

  /** Starts the server, then the proxy, and connects the client. */
  async open(signal: AbortSignal): Promise<DemoClient> {
    await this.server.start(signal);
    const proxy = new Proxy(
      {
        listen: { kind: "unix", path: join(this.#folder, "proxy.sock") },
        socketMode: OWNER_ONLY,
        ...PROXY_DEFAULTS,
        upstreams: [{ endpoint: this.#serverSocket, exportName: "", bindAddress: undefined }],
      },
      this.#around,
    );
    this.#proxy = proxy;
    const endpoint = await proxy.start();
    this.#client = await DemoClient.connect({
      ...this.#around,
      paths: [{ endpoint, bindAddress: undefined, exportName: "" }],
      pool: new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: LIMITS.idleSlabs }),
    });
    signal.throwIfAborted();
    return this.#client;
  }

  /** Ends the client, then the proxy, the orderly way. */
  async finish(): Promise<void> {
    await this.#client?.disconnect();
    await this.#proxy?.stop();
  }

  /**
   * Ends client and server, without ceremony, and leaves nothing behind. A proxy that was not finished goes on holding
   * requests until the process ends.
   */
  async close(): Promise<void> {
    this.#client?.abort();
    await this.server.kill();
    this.#clearAway();
    process.off("exit", this.#clearAway);
  }

  /** What can be done at once, and when the process ends in a hurry has to be enough. */
  readonly #clearAway = (): void => {
    this.server.killNow();
    rmSync(this.#folder, { recursive: true, force: true });
  };
}

function sizeThatFits(): number {
  const { bavail, bsize } = statfsSync(tmpdir());
  const sizeBytes = demoSizeBytes(bavail * bsize);
  if (sizeBytes === undefined) throw new Error(`too little space in ${tmpdir()}; set TMPDIR to a folder with more`);
  return sizeBytes;
}

function makeFolder(): string {
  const prefix = join(tmpdir(), "flexnbd-demo-");
  if (Buffer.byteLength(join(`${prefix}XXXXXX`, "server.sock")) > SOCKET_PATH_BYTES) {
    throw new Error(`the path ${tmpdir()} is too long for UNIX sockets; set TMPDIR to a shorter one`);
  }
  return mkdtempSync(prefix);
}
