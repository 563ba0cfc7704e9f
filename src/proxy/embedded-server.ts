import type { ServeConfig } from "../config/serve-config.ts";
import type { Disk } from "../disk.ts";
import { FileDisk } from "../disks/file-disk.ts";
import { MemoryDisk } from "../disks/memory-disk.ts";
import { WriteCacheDisk } from "../disks/write-cache-disk.ts";
import { Listener } from "../downstream/listener.ts";
import { LIMITS } from "../limits.ts";
import type { Endpoint } from "../ports/network.ts";
import { endpointText } from "../transport/endpoint-text.ts";
import { drain } from "./drain.ts";
import { offeredDisk } from "./offered-disk.ts";
import { SingleExport } from "./single-export.ts";
import { exportMemory, type Surroundings } from "./surroundings.ts";

/** What an EmbeddedServer is told to do; the part of a ServeConfig that matters to it. */
export type EmbeddedServerOptions = Omit<ServeConfig, "logLevel">;

/** A small NBD server: the proxy's own listener over a file or over memory, to try things against. */
export class EmbeddedServer {
  readonly #options: EmbeddedServerOptions;
  readonly #around: Surroundings;
  #listener: Listener | undefined;
  #writeCache: WriteCacheDisk | undefined;
  #closeDisk: () => Promise<void> = () => Promise.resolve();

  constructor(options: EmbeddedServerOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  /** Opens the disk and listens; resolves to where. Rejects when the file or the address can't be had. */
  async start(): Promise<Endpoint> {
    const { listen, socketMode, exportName, writeCache } = this.#options;
    const stored = await this.#openDisk();
    if (writeCache) this.#writeCache = new WriteCacheDisk(stored);
    const disk = this.#writeCache ?? stored;
    this.#listener = new Listener({
      ...this.#around,
      ...exportMemory(),
      greetingStyle: "newstyle",
      admits: () => true,
      exports: new SingleExport(exportName, offeredDisk(disk, LIMITS.embeddedClients)),
      endpoint: listen,
      socketMode,
      maxClients: LIMITS.embeddedClients,
    });
    const endpoint = await this.#listener.open();
    this.#around.log.info(`serving ${disk.geometry.sizeBytes} bytes on ${endpointText(endpoint)}`);
    return endpoint;
  }

  /** Stops: finishes what is in flight, empties the write cache, and closes the disk. */
  async stop(): Promise<void> {
    if (this.#listener !== undefined) await drain(this.#listener, this.#around.clock);
    await this.#emptyWriteCache();
    await this.#closeDisk();
  }

  async #emptyWriteCache(): Promise<void> {
    const error = (await this.#writeCache?.flush()) ?? 0;
    if (error !== 0) this.#around.log.error(`what was not flushed is lost: the disk failed with NBD error ${error}`);
  }

  async #openDisk(): Promise<Disk> {
    const { disk, exportName } = this.#options;
    if (disk.kind === "memory") return new MemoryDisk({ sizeBytes: disk.sizeBytes, name: exportName });
    const file = await FileDisk.open(disk.path, { name: exportName });
    this.#closeDisk = () => file.close();
    return file;
  }
}
