import type { Geometry } from "../../../src/protocol/geometry.ts";
import { HandshakeTimeout } from "../../../src/transport/handshake-timeout.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { SlabReader } from "../../../src/transport/slab-reader.ts";
import type { Connector, ConnectOutcome } from "../../../src/upstream/connector.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { geometry } from "../support/held-disk.ts";
import type { ManualClock } from "../support/manual-clock.ts";

/** Attempts to connect that the test lets succeed or fail, over one path or two. */
export class PlayedConnector {
  readonly attempts: ConnectOutcome[] = [];
  readonly atMs: number[] = [];
  readonly servers: string[] = [];
  readonly pool = new SlabPool({ slabBytes: 4096, idleSlabs: 4 });
  readonly paths: number;
  aborts = 0;
  #turns = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, paths = 1) {
    this.#clock = clock;
    this.paths = paths;
  }

  /** The connector, as those see it who are under test. */
  get asConnector(): Connector {
    return this as unknown as Connector;
  }

  get server(): string {
    return this.#turns % this.paths === 0 ? "store:10809" : "spare:10809";
  }

  turn(): void {
    this.#turns += 1;
  }

  connect(outcome: ConnectOutcome): { abort(): void } {
    this.attempts.push(outcome);
    this.atMs.push(this.#clock.nowMs());
    this.servers.push(this.server);
    return { abort: () => (this.aborts += 1) };
  }

  /** The latest attempt reaches a server; returns the server's end. */
  succeed(fields: Partial<Geometry> = {}): FakeStream {
    const stream = new FakeStream();
    const reader = new SlabReader(stream, this.pool, 256);
    stream.start(reader);
    const names = new Map(fields.contexts?.map((name, index) => [index + 1, name]));
    const negotiation = { geometry: geometry(fields), structuredReplies: names.size > 0, contextNames: names };
    this.attempts.at(-1)?.negotiated({ stream, reader, ...negotiation });
    return stream;
  }

  fail(message = "connection refused"): void {
    this.attempts.at(-1)?.failed(new Error(message));
  }

  /** The server took the connection and did not greet. */
  failUngreeted(): void {
    this.attempts.at(-1)?.failed(new HandshakeTimeout("no complete handshake within 10 s"));
  }

  /** How far apart the attempts were, from the second on. */
  get gapsMs(): number[] {
    return this.atMs.slice(2).map((atMs, index) => atMs - (this.atMs[index + 1] ?? 0));
  }
}
