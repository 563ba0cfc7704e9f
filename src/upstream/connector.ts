import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { ByteStream, DialTarget, Network } from "../ports/network.ts";
import { clientHandshake } from "../protocol/client-handshake.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import { DialogueRunner } from "../transport/dialogue-runner.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { SlabReader } from "../transport/slab-reader.ts";
import type { Negotiated } from "./upstream-session.ts";

/** The server's address and the export that is wanted there. */
export interface ConnectorOptions {
  readonly target: DialTarget;
  readonly exportName: string;
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

/** Makes one attempt after the other to get from an address to a negotiated connection. */
export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Starts an attempt: dial, then the client's side of the handshake, each with its deadline. */
  connect(outcome: ConnectOutcome): { abort(): void } {
    const { network, clock, target } = this.#options;
    const dialTimer = clock.setTimer(LIMITS.connectMs, () => {
      dial.abort();
      outcome.failed(new ConnectionLost(`no connection within ${LIMITS.connectMs / 1000} s`));
    });
    let abort = (): void => {
      dialTimer.cancel();
      dial.abort();
    };
    const dial = network.dial(target, {
      connected: (stream) => {
        dialTimer.cancel();
        abort = this.#negotiate(stream, outcome);
      },
      failed: (error) => {
        dialTimer.cancel();
        outcome.failed(error);
      },
    });
    return { abort: () => abort() };
  }

  #negotiate(stream: ByteStream, outcome: ConnectOutcome): () => void {
    const { clock, pool, exportName } = this.#options;
    const reader = new SlabReader(stream, pool, LIMITS.readRoomBytes);
    const runner = new DialogueRunner<Geometry>({
      stream,
      reader,
      dialogue: clientHandshake({ exportName, limits: LIMITS }),
      clock,
      deadlineMs: LIMITS.handshakeMs,
      done: (geometry) => outcome.negotiated({ stream, reader, geometry }),
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
