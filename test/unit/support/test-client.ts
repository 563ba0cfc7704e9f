import { COMMAND } from "../../../src/protocol/constants.ts";
import type { FakeStream } from "./fake-stream.ts";
import { parseReplies, requestBytes, type WireReply, type WireRequest } from "./naive-codec.ts";
import { afterServerHello, clientHello, type ClientWishes } from "./negotiation.ts";
import { settle } from "./settle.ts";

/** An NBD client over a stream under test: counts its cookies and keeps the replies. */
export class TestClient {
  readonly stream: FakeStream;
  readonly #readBytes = new Map<bigint, number>();
  #cookies = 0n;

  constructor(stream: FakeStream) {
    this.stream = stream;
  }

  /** Negotiates; resolves when the transmission phase has begun. */
  async join(exportName = "", wishes: ClientWishes = {}): Promise<this> {
    this.stream.say(clientHello(exportName, wishes));
    await settle();
    if (afterServerHello(this.stream.heard) === undefined) throw new Error("the server did not let the client in");
    return this;
  }

  /** Sends a request; returns its cookie. */
  ask(fields: Partial<Omit<WireRequest, "offset">> & { readonly offset?: number }): bigint {
    this.#cookies += 1n;
    const cookie = fields.cookie ?? this.#cookies;
    if ((fields.command ?? COMMAND.READ) === COMMAND.READ) this.#readBytes.set(cookie, fields.length ?? 0);
    this.stream.say(requestBytes({ ...fields, cookie }));
    return cookie;
  }

  read(offset: number, length: number): bigint {
    return this.ask({ command: COMMAND.READ, offset, length });
  }

  write(offset: number, payload: Buffer): bigint {
    return this.ask({ command: COMMAND.WRITE, offset, payload });
  }

  disconnect(): void {
    this.stream.say(requestBytes({ command: COMMAND.DISC }));
  }

  /** All replies so far; throws when something else was said. */
  get replies(): readonly WireReply[] {
    const said = afterServerHello(this.stream.heard) ?? Buffer.alloc(0);
    return parseReplies(said, (cookie) => this.#readBytes.get(cookie) ?? 0).replies;
  }

  /** The errors of all replies by cookie, in the order in which they came. */
  get answers(): readonly (readonly [cookie: bigint, error: number])[] {
    return this.replies.map(({ cookie, error }) => [cookie, error] as const);
  }
}
