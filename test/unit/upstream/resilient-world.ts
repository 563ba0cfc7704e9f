import { LIMITS } from "../../../src/limits.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import type { ResilientDiskOptions } from "../../../src/upstream/resilient-disk-options.ts";
import { ResilientDisk } from "../../../src/upstream/resilient-disk.ts";
import { FakeNetwork } from "../support/fake-network.ts";
import { ManualClock } from "../support/manual-clock.ts";
import type { serverHello } from "../support/negotiation.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { settle } from "../support/settle.ts";
import { PlayedServer, serve } from "./served-upstream.ts";

type Hello = Parameters<typeof serverHello>[0];

/** How long the disk waits for what. */
interface Patience {
  readonly holdTimeoutMs?: number;
  readonly idlePingMs?: number;
  readonly upstreamTimeoutMs?: number;
}

/** How the disk keeps what was written. */
type Safety = Partial<Pick<ResilientDiskOptions, "unflushed" | "pinMs" | "lingerMs" | "fence" | "shared">>;

/** How long a server may be silent. */
export const SILENCE_MS = 30_000;

/** A ResilientDisk whose servers the test plays, one after the other. */
export class ResilientWorld {
  readonly network = new FakeNetwork();
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly pool = new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: 4, poison: true });
  readonly budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests);
  readonly disk: ResilientDisk;
  resets = 0;

  constructor({ holdTimeoutMs, idlePingMs, upstreamTimeoutMs = SILENCE_MS, ...safety }: Patience & Safety = {}) {
    this.disk = new ResilientDisk({
      paths: [{ endpoint: { kind: "tcp", host: "store", port: 10809 }, bindAddress: undefined, exportName: "disk" }],
      network: this.network,
      clock: this.clock,
      log: this.log,
      pool: this.pool,
      random: { next: () => 0.5 },
      holdTimeoutMs,
      idlePingMs,
      upstreamTimeoutMs,
      reconnectIntervalMaxMs: 5000,
      budget: this.budget,
      unflushed: "log",
      pinMs: 60_000,
      lingerMs: 60_000,
      fence: "none",
      shared: false,
      ...safety,
    });
  }

  /** A world in which the disk is open, its first server, and a user's handle. */
  static async open({ hello, ...options }: Patience & Safety & { readonly hello?: Hello } = {}) {
    const world = new ResilientWorld(options);
    const opened = world.disk.open();
    const server = await serve(world.network, hello);
    await opened;
    const handle = world.disk.attach({ onReset: () => (world.resets += 1) });
    return { world, server, handle, disk: world.disk };
  }

  /** The server is back: accepts the attempt that is under way. */
  reconnect(hello?: Hello): Promise<PlayedServer> {
    // An attempt that is to be made at once is made as soon as anything else has its turn.
    this.clock.advance(0);
    return PlayedServer.on(this.network.lastDial, hello);
  }

  /** The server is back: accepts the next attempt, however long that takes. */
  async reconnectAfterWait(hello?: Hello): Promise<PlayedServer> {
    const before = this.network.dials.length;
    for (let turn = 0; turn < 10 && this.network.dials.length === before; turn += 1) {
      this.clock.advance(this.clock.nextInMs ?? 0);
      await settle();
    }
    return this.reconnect(hello);
  }

  /** The attempt under way is refused, and time passes until the next one. */
  async refuse(waitMs = 100): Promise<void> {
    this.clock.advance(0);
    this.network.lastDial.refuse();
    this.clock.advance(waitMs);
    await settle();
  }
}
