import { COMMAND } from "../../../src/protocol/constants.ts";
import type { FakeStream } from "./fake-stream.ts";
import { requestBytes, type WireRequest } from "./naive-codec.ts";
import { afterServerHello, clientHello } from "./negotiation.ts";
import { settle } from "./settle.ts";
import { StrictReplies, type StrictReply } from "./strict-replies.ts";

/** A client of structured replies over a stream under test, which takes the text literally: it throws at what it forbids. */
export class StructuredClient {
  readonly stream: FakeStream;
  readonly contexts: readonly string[];
  readonly #strict: StrictReplies;
  #parsedBytes = 0;
  #cookies = 0n;

  /** It selects these contexts, all of which the export must have, in the export's order. */
  constructor(stream: FakeStream, contexts: readonly string[] = []) {
    this.stream = stream;
    this.contexts = contexts;
    // Ids are given from 1 on.
    this.#strict = new StrictReplies(contexts.map((_, index) => index + 1));
  }

  /** Negotiates; resolves when the transmission phase has begun. */
  async join(exportName = ""): Promise<this> {
    this.stream.say(clientHello(exportName, { structured: true, contexts: this.contexts }));
    await settle();
    if (afterServerHello(this.stream.heard) === undefined) throw new Error("the server did not let the client in");
    return this;
  }

  /** Sends a request; returns its cookie. */
  ask(fields: Partial<Omit<WireRequest, "offset">> & { readonly offset?: number }): bigint {
    this.#cookies += 1n;
    const cookie = fields.cookie ?? this.#cookies;
    const { command = COMMAND.READ, flags = 0, offset = 0, payload, length = payload?.length ?? 0 } = fields;
    this.#parse();
    this.#strict.asked(cookie, { command, flags, offset, length });
    this.stream.say(requestBytes({ ...fields, cookie }));
    return cookie;
  }

  read(offset: number, length: number, flags = 0): bigint {
    return this.ask({ command: COMMAND.READ, offset, length, flags });
  }

  write(offset: number, payload: Buffer): bigint {
    return this.ask({ command: COMMAND.WRITE, offset, payload });
  }

  blockStatus(offset: number, length: number, flags = 0): bigint {
    return this.ask({ command: COMMAND.BLOCK_STATUS, offset, length, flags });
  }

  disconnect(): void {
    this.stream.say(requestBytes({ command: COMMAND.DISC }));
  }

  /** All whole replies so far; throws when something was said that the text forbids. */
  get replies(): readonly StrictReply[] {
    this.#parse();
    return this.#strict.replies;
  }

  /** The errors of all replies by cookie, in the order in which they came. */
  get answers(): readonly (readonly [cookie: bigint, error: number])[] {
    return this.replies.map(({ cookie, error }) => [cookie, error] as const);
  }

  #parse(): void {
    const said = (afterServerHello(this.stream.heard) ?? Buffer.alloc(0)).subarray(this.#parsedBytes);
    this.#parsedBytes += said.length - this.#strict.parse(said).length;
  }
}
