import type { Socket } from "node:net";
import { LIMITS } from "../limits.ts";
import type { DirectRead, DirectReads } from "./node-direct-reads.ts";
import { socketHandle } from "./node-socket-handle.ts";

const NOTHING = Buffer.alloc(0);

/**
 * Looks at what has come to one socket, beside the event loop, which reads the same socket: as long as somebody looks it gets
 * memory that nobody else needs, because it may read into what it was given at any time.
 */
export class SocketLooks {
  readonly #socket: Socket;
  readonly #directReads: DirectReads | undefined;
  /** Made at the first look. */
  #read: DirectRead | undefined;
  #scratch: Buffer | undefined;
  #wanted = false;
  #blind: boolean;

  /** Without `directReads` it sees nothing. */
  constructor(socket: Socket, directReads: DirectReads | undefined) {
    this.#socket = socket;
    this.#directReads = directReads;
    this.#blind = directReads === undefined;
  }

  /** What the event loop is to read into next; undefined when nobody has looked since it was last asked for. */
  lend(): Buffer | undefined {
    if (!this.#wanted) return undefined;
    this.#wanted = false;
    this.#scratch ??= Buffer.allocUnsafeSlow(LIMITS.readRoomBytes);
    return this.#scratch;
  }

  /**
   * What has come: good until the next look, empty when nothing has. Undefined when only the event loop can tell, for now, for
   * good, or because the connection is broken, which the socket then knows. `lent` is what that reads into next.
   */
  look(lent: Buffer): Buffer | undefined {
    const fd = socketHandle(this.#socket)?.fd ?? -1;
    if (this.#blind || fd < 0) return undefined;
    this.#wanted = true;
    if (lent !== this.#scratch) return undefined;
    this.#read ??= this.#directReads?.of(fd);
    try {
      const count = this.#read?.read();
      if (count === 0) return NOTHING;
      this.#blind = count === undefined;
      return this.#blind ? undefined : this.#read?.bytes.subarray(0, count);
    } catch (error) {
      this.#socket.destroy(error as Error);
      return undefined;
    }
  }
}
