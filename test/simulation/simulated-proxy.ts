import type { DiskHandle } from "../../src/disk.ts";
import { SplittingDisk } from "../../src/disks/splitting-disk.ts";
import { Listener } from "../../src/downstream/listener.ts";
import type { Log } from "../../src/ports/log.ts";
import type { Endpoint, Network } from "../../src/ports/network.ts";
import { drain } from "../../src/proxy/drain.ts";
import { offeredDisk } from "../../src/proxy/offered-disk.ts";
import { SingleExport } from "../../src/proxy/single-export.ts";
import { ByteBudget } from "../../src/transport/byte-budget.ts";
import { SlabPool } from "../../src/transport/slab-pool.ts";
import { ResilientDisk } from "../../src/upstream/resilient-disk.ts";
import type { Scenario } from "./scenario.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { CountingClock, type SimulatedClock } from "./simulated-clock.ts";

/** Where the proxy of a simulation lives. */
export interface SimulatedProxyOptions {
  readonly scenario: Scenario;
  readonly network: Network;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly log: Log;
  readonly serverEndpoint: Endpoint;
  readonly listenEndpoint: Endpoint;
}

/**
 * The real core, put together as the composition root does it, except that memory is scarce and poisoned when it comes
 * home.
 */
export class SimulatedProxy {
  readonly clock: CountingClock;
  readonly pool: SlabPool;
  readonly budget: ByteBudget;
  readonly #options: SimulatedProxyOptions;
  readonly #disk: ResilientDisk;
  #listener: Listener | undefined;
  #watcher: DiskHandle | undefined;

  constructor(options: SimulatedProxyOptions) {
    const { scenario, network, random, log, serverEndpoint } = options;
    const { slabBytes, idleSlabs, budgetBytes, budgetRequests, holdTimeoutMs } = scenario;
    this.#options = options;
    this.clock = new CountingClock(options.clock);
    this.pool = new SlabPool({ slabBytes, idleSlabs, poison: true });
    this.budget = new ByteBudget(budgetBytes, budgetRequests);
    const disk = {
      network,
      random,
      log,
      clock: this.clock,
      pool: this.pool,
      paths: [{ endpoint: serverEndpoint, bindAddress: undefined, exportName: "" }] as const,
      holdTimeoutMs,
      upstreamTimeoutMs: scenario.upstreamTimeoutMs,
      idlePingMs: scenario.idlePingMs,
      reconnectIntervalMaxMs: 5000,
      unflushed: scenario.unflushed,
      pinMs: scenario.pinMs,
      lingerMs: scenario.lingerMs,
      fence: scenario.fence,
      shared: scenario.shared,
      budget: this.budget,
    };
    this.#disk = new ResilientDisk(disk);
  }

  /** Connects to the server, then listens. */
  async start(): Promise<void> {
    const { scenario, network, log, listenEndpoint } = this.#options;
    const { maxClients } = scenario;
    await this.#disk.open();
    // While nobody uses the disk, the proxy may take another export for the one it had.
    if (scenario.character.badMannersChance > 0) this.#watcher = this.#disk.attach({ onReset: () => undefined });
    this.#listener = new Listener({
      network,
      log,
      clock: this.clock,
      pool: this.pool,
      budget: this.budget,
      greetingStyle: "auto",
      admits: () => true,
      exports: new SingleExport("", offeredDisk(new SplittingDisk(this.#disk), maxClients)),
      endpoint: listenEndpoint,
      socketMode: 0o600,
      maxClients,
    });
    await this.#listener.open();
  }

  /** Clients that it serves or lets wait. */
  get clients(): number {
    return (this.#listener?.clients ?? 0) + (this.#listener?.waitingClients ?? 0);
  }

  /** Stops as the proxy does; resolves to whether the server confirmed a last FLUSH and nothing had to be given up. */
  async stop(): Promise<boolean> {
    if (this.#listener !== undefined) await drain(this.#listener, this.clock);
    this.#watcher?.close();
    const { flushed, discardedBytes } = await this.#disk.close();
    return flushed && discardedBytes === 0;
  }
}
