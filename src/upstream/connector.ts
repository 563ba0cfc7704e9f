import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { ByteStream, DialTarget, Network } from "../ports/network.ts";
import { clientHandshake, type Negotiation } from "../protocol/client-handshake.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import { DialogueRunner } from "../transport/dialogue-runner.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { endpointText } from "../transport/endpoint-text.ts";
import { SlabReader } from "../transport/slab-reader.ts";
import type { Negotiated } from "./upstream-session.ts";

/** One way to the export: the server's address, and the export's name there. */
export interface UpstreamPath extends DialTarget {
  readonly exportName: string;
}

/** The ways to one and the same storage, the preferred one first. */
export interface ConnectorOptions {
  readonly paths: readonly [UpstreamPath, ...UpstreamPath[]];
  readonly network: Network;
  readonly clock: Clock;
  readonly pool: SlabPool;
}

/** Who is told how an attempt ended: one of the two, once, and not during `connect`. */
export interface ConnectOutcome {
  /** The handshake is done. The session must take over the reader during this call. */
  negotiated(connection: Negotiated): void;
  failed(error: Error): void;
}

/**
 * Makes one attempt after the other to get from an address to a negotiated connection. It stays on its path until it is told
 * to `turn` to the next one.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  #turn = 0;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** How many paths there are. */
  get paths(): number {
    return this.#options.paths.length;
  }

  /** Where the path that is used, or will be tried next, leads; for log lines. */
  get server(): string {
    return endpointText(this.#path.endpoint);
  }

  get #path(): UpstreamPath {
    const { paths } = this.#options;
    return paths[this.#turn % paths.length] ?? paths[0];
  }

  /** Starts an attempt: dial, then the client's side of the handshake, each with its deadline. */
  connect(outcome: ConnectOutcome): { abort(): void } {
    const { network, clock } = this.#options;
    const path = this.#path;
    const dialTimer = clock.setTimer(LIMITS.connectMs, () => {
      dial.abort();
      outcome.failed(new ConnectionLost(`no connection within ${LIMITS.connectMs / 1000} s`));
    });
    let abort = (): void => {
      dialTimer.cancel();
      dial.abort();
    };
    const dial = network.dial(path, {
      connected: (stream) => {
        dialTimer.cancel();
        abort = this.#negotiate(stream, path, outcome);
      },
      failed: (error) => {
        dialTimer.cancel();
        outcome.failed(error);
      },
    });
    return { abort: () => abort() };
  }

  /** The path led nowhere, or to the wrong place: the next attempt takes the next one. */
  turn(): void {
    this.#turn += 1;
  }

  #negotiate(stream: ByteStream, { exportName }: UpstreamPath, outcome: ConnectOutcome): () => void {
    const { clock, pool } = this.#options;
    const reader = new SlabReader(stream, pool, LIMITS.readRoomBytes);
    const runner = new DialogueRunner<Negotiation>({
      stream,
      reader,
      dialogue: clientHandshake({ exportName, limits: LIMITS }),
      clock,
      deadlineMs: LIMITS.handshakeMs,
      done: (negotiation) => outcome.negotiated({ stream, reader, ...negotiation }),
      failed: (error) => {
        stream.destroy();
        outcome.failed(error);
      },
    });
    runner.begin();
    stream.start(reader);
    return () => {
      runner.abort();
      stream.destroy();
    };
  }
}
