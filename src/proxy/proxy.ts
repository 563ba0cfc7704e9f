import type { ProxyConfig } from "../config/proxy-config.ts";
import { Listener } from "../downstream/listener.ts";
import { LIMITS } from "../limits.ts";
import type { Endpoint } from "../ports/network.ts";
import { endpointText } from "../transport/endpoint-text.ts";
import { ResilientDisk } from "../upstream/resilient-disk.ts";
import { drain } from "./drain.ts";
import { offeredDisk } from "./offered-disk.ts";
import { SingleExport } from "./single-export.ts";
import { exportMemory, type Surroundings } from "./surroundings.ts";

/** What a Proxy is told to do; the part of a ProxyConfig that matters to it. */
export type ProxyOptions = Omit<ProxyConfig, "logLevel">;

/** Clients that are served at once. */
const MAX_CLIENTS = 1;

/** The proxy itself: the server as a resilient disk, and a listener that serves it to clients. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #around: Surroundings;
  readonly #disk: ResilientDisk;
  readonly #memory = exportMemory();
  #listener: Listener | undefined;

  constructor(options: ProxyOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    const { upstream, holdTimeoutMs, reconnectIntervalMaxMs } = options;
    this.#disk = new ResilientDisk({
      ...around,
      pool: this.#memory.pool,
      target: upstream,
      exportName: upstream.exportName,
      holdTimeoutMs,
      reconnectIntervalMaxMs,
    });
  }

  /** Connects to the server, then listens; resolves to where. Rejects when the server or the address can't be had. */
  async start(): Promise<Endpoint> {
    const { upstream, listen, socketMode } = this.#options;
    const { log } = this.#around;
    await this.#disk.open();
    log.info(`server ${endpointText(upstream.endpoint)}: connected, ${this.#disk.geometry.sizeBytes} bytes`);
    this.#listener = new Listener({
      ...this.#around,
      ...this.#memory,
      exports: new SingleExport(upstream.exportName, offeredDisk(this.#disk, MAX_CLIENTS)),
      endpoint: listen,
      socketMode,
      maxClients: MAX_CLIENTS,
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

  /** Stops: takes no more clients or requests, finishes what is in flight, has the server FLUSH, and says DISC. */
  async stop(): Promise<void> {
    const { clock, log } = this.#around;
    if (this.#listener !== undefined && !(await drain(this.#listener, clock))) {
      log.warning(`stopping: requests were still unanswered after ${LIMITS.drainMs / 1000} s`);
    }
    if (!(await this.#disk.close())) log.warning("stopping: the server did not confirm a last FLUSH");
  }
}
