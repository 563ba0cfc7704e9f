import type { ProxyConfig } from "../config/proxy-config.ts";
import { ReadAheadDisk } from "../disks/read-ahead-disk.ts";
import { SplittingDisk } from "../disks/splitting-disk.ts";
import { Listener } from "../downstream/listener.ts";
import { LIMITS } from "../limits.ts";
import type { Endpoint } from "../ports/network.ts";
import { NodeAddressFilter } from "../transport/node-address-filter.ts";
import { endpointText } from "../transport/endpoint-text.ts";
import { ResilientDisk } from "../upstream/resilient-disk.ts";
import { drain } from "./drain.ts";
import { offeredDisk } from "./offered-disk.ts";
import { SingleExport } from "./single-export.ts";
import { exportMemory, type Surroundings } from "./surroundings.ts";

/** What a Proxy is told to do; the part of a ProxyConfig that matters to it. */
export type ProxyOptions = Omit<ProxyConfig, "logLevel">;

/** The proxy itself: the server as a resilient disk, and a listener that serves it to clients. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #around: Surroundings;
  readonly #disk: ResilientDisk;
  readonly #memory: ReturnType<typeof exportMemory>;
  #listener: Listener | undefined;

  constructor(options: ProxyOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#memory = exportMemory(options.unflushedLimitBytes);
    this.#disk = new ResilientDisk({ ...options, ...around, ...this.#memory, paths: options.upstreams });
  }

  /** Connects to the server, then listens; resolves to where. Rejects when the server or the address can't be had. */
  async start(): Promise<Endpoint> {
    const { upstreams, listen, maxClients, cacheBytes } = this.#options;
    const { clock, log } = this.#around;
    await this.#open();
    log.info(`server ${this.#disk.server}: connected, ${this.#disk.geometry.sizeBytes} bytes`);
    const disk = new SplittingDisk(cacheBytes > 0 ? new ReadAheadDisk(this.#disk, { cacheBytes, clock }) : this.#disk);
    this.#listener = new Listener({
      ...this.#options,
      ...this.#around,
      ...this.#memory,
      exports: new SingleExport(upstreams[0].exportName, offeredDisk(disk, maxClients)),
      endpoint: listen,
      admits: new NodeAddressFilter(this.#options.allow).admits,
    });
    try {
      const endpoint = await this.#listener.open();
      log.info(`listening on ${endpointText(endpoint)}`);
      return endpoint;
    } catch (error) {
      await this.#disk.close();
      throw error;
    }
  }

  async #open(): Promise<void> {
    try {
      await this.#disk.open();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const servers = this.#options.upstreams.map(({ endpoint }) => endpointText(endpoint)).join(", nor at ");
      throw new Error(`can't connect to the server at ${servers}: ${why}`, { cause: error });
    }
  }

  /**
   * Stops: takes no more clients or requests, finishes what is in flight, has the server FLUSH, and says DISC. Resolves to
   * false when acknowledged writes had to be given up.
   */
  async stop(): Promise<boolean> {
    const { clock, log } = this.#around;
    if (this.#listener !== undefined && !(await drain(this.#listener, clock))) {
      log.warning(`stopping: requests were still unanswered after ${LIMITS.drainMs / 1000} s`);
    }
    const { flushed, discardedBytes } = await this.#disk.close();
    if (!flushed) log.warning("stopping: the server did not confirm a last FLUSH");
    if (discardedBytes > 0)
      log.error(`stopping: ${discardedBytes} bytes that were acknowledged and not flushed are lost`);
    return discardedBytes === 0;
  }
}
