import { expect } from "vitest";

import type { Disk, Exports } from "../../../src/disk.ts";
import { ClientSession } from "../../../src/downstream/client-session.ts";
import { LIMITS } from "../../../src/limits.ts";
import type { GreetingStyle } from "../../../src/protocol/greeting-style.ts";
import { SingleExport } from "../../../src/proxy/single-export.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";

/** A world for sessions, and what may be seen of it afterwards. */
export class SessionWorld {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly pool = new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: 8, poison: true });
  readonly budget: ByteBudget;
  readonly exports: Exports;
  readonly streams: FakeStream[] = [];
  /** How clients are greeted. */
  greetingStyle: GreetingStyle = "auto";
  /** How many clients' places have become free. */
  left = 0;

  constructor(disk: Disk | Exports, budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests)) {
    this.exports = "attach" in disk ? new SingleExport("", disk) : disk;
    this.budget = budget;
  }

  /** A session whose client has said nothing yet. */
  serve(early: Buffer = Buffer.alloc(0), stream = new FakeStream("client")): ServedClient {
    this.streams.push(stream);
    const session = new ClientSession(stream, this, () => (this.left += 1));
    session.begin(early);
    return { stream, session, client: new TestClient(stream) };
  }

  /** A session whose client is in the transmission phase. */
  async join(): Promise<ServedClient> {
    const served = this.serve();
    await served.client.join();
    return served;
  }

  /** Nothing is held for anybody any more: no memory, no budget, no timer, no open connection. */
  async expectNothingHeld(): Promise<void> {
    await settle();
    this.clock.advance(LIMITS.farewellMs);
    await settle();
    expect(this.streams.map(({ closed }) => closed)).not.toContain(false);
    expect({ bytes: this.budget.heldBytes, requests: this.budget.heldRequests }).toEqual({ bytes: 0, requests: 0 });
    expect(this.pool.heldBytes, "slabs that nobody gave back").toBe(0);
    expect(this.clock.pending, "timers that are still set").toBe(0);
    expect(this.left, "places that became free").toBe(this.streams.length);
  }
}

/** One client of a SessionWorld. */
export interface ServedClient {
  readonly stream: FakeStream;
  readonly session: ClientSession;
  readonly client: TestClient;
}
