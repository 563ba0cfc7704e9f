import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Lifecycle } from "../../../src/upstream/lifecycle.ts";
import { ReconnectPolicy } from "../../../src/upstream/reconnect-policy.ts";
import type { Negotiated } from "../../../src/upstream/upstream-session.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { PlayedConnector } from "./played-connector.ts";

/** How a PlayedLifecycle is made. */
interface PlayedOptions {
  readonly chance?: number;
  readonly maximumMs?: number;
  readonly paths?: number;
}

/** A Lifecycle whose servers and whose owner are the test. */
export class PlayedLifecycle {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly connector: PlayedConnector;
  readonly connections: Negotiated[] = [];
  /** Why connections were given up. */
  readonly givenUp: string[] = [];
  /** What the export became, when nobody used it. */
  readonly replacements: Geometry[] = [];
  /** Whether the next connection may be used. */
  mayProceed = true;
  /** Whether the export may become another one. */
  mayDiffer = false;
  /** The metadata contexts that somebody uses. */
  neededContexts: readonly string[] = [];
  readonly lifecycle: Lifecycle;

  constructor({ chance = 0.5, maximumMs = 5000, paths = 1 }: PlayedOptions = {}) {
    this.connector = new PlayedConnector(this.clock, paths);
    this.lifecycle = new Lifecycle({
      connector: this.connector.asConnector,
      policy: new ReconnectPolicy({ next: () => chance }, maximumMs),
      clock: this.clock,
      log: this.log,
      connected: (connection) => this.connections.push(connection),
      mayProceed: () => this.mayProceed,
      needs: () => ({ anySize: this.mayDiffer, contexts: this.neededContexts }),
      replaced: (geometry) => this.replacements.push(geometry),
      giveUp: (why) => {
        this.givenUp.push(why.message);
        this.lifecycle.lost(why);
      },
    });
  }

  /** One that is connected. */
  static async connected(options?: PlayedOptions): Promise<PlayedLifecycle> {
    const played = new PlayedLifecycle(options);
    const started = played.lifecycle.start();
    played.connector.succeed();
    await started;
    return played;
  }

  /** One whose connection is silent, with the first attempt beside it under way. */
  static async doubted(options?: PlayedOptions): Promise<PlayedLifecycle> {
    const played = await PlayedLifecycle.connected(options);
    played.silent();
    return played;
  }

  /** The connection is lost; what is to be done at once is done. */
  readonly lose = (): void => {
    this.lifecycle.lost(new Error("reset"));
    this.clock.advance(0);
  };

  silent(): void {
    this.lifecycle.silent();
    this.clock.advance(0);
  }

  /** The attempt under way is refused, and the next one begins. */
  refuse(): void {
    this.connector.fail();
    this.clock.advance(this.clock.nextInMs ?? 0);
  }

  /** The server's end of the connection in use. */
  get inUse(): FakeStream {
    return this.connections.at(-1)?.stream as FakeStream;
  }
}
