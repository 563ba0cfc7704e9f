import type { FakeDial, FakeNetwork } from "../support/fake-network.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import {
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  parseRequests,
  replyBytes,
  type WireRequest,
} from "../support/naive-codec.ts";
import { afterClientHello, serverHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";

const READ = 0;

/** A server as the test plays it, on one connection: it hears requests and answers them when the test says so. */
export class PlayedServer {
  readonly stream: FakeStream;
  readonly #structured: boolean;

  /** `structured`: it has agreed to structured replies. */
  constructor(stream: FakeStream, structured = false) {
    this.stream = stream;
    this.#structured = structured;
  }

  /** Accepts an attempt to connect and negotiates. */
  static async on(dial: FakeDial, hello: Parameters<typeof serverHello>[0] = {}): Promise<PlayedServer> {
    const { contexts = [], structured = contexts.length > 0 } = hello;
    const server = new PlayedServer(dial.connect(), structured);
    server.stream.say(serverHello(hello));
    await settle();
    return server;
  }

  /** All requests on this connection so far. */
  get requests(): readonly WireRequest[] {
    return parseRequests(afterClientHello(this.stream.heard)).requests;
  }

  /** Everything since the handshake, as it was sent. */
  get bytes(): Buffer {
    return afterClientHello(this.stream.heard);
  }

  /** The requests as text: command, offset and length; `1@4096+512` is a WRITE. */
  get heard(): string[] {
    return this.requests.map(({ command, offset, length }) => `${command}@${offset}+${length}`);
  }

  /** Answers the request that came as number `index` on this connection. */
  async answer(index: number, error = 0, data: Buffer = Buffer.alloc(0)): Promise<void> {
    const request = this.requests[index];
    if (request === undefined) throw new Error(`request ${index} did not come`);
    if (this.#structured && request.command === READ) this.stream.say(structuredAnswer(request, error, data));
    else this.stream.say(replyBytes({ error, cookie: request.cookie, data }));
    await settle();
  }

  async drop(): Promise<void> {
    this.stream.drop(new Error("connection reset"));
    await settle();
  }
}

/** The only chunk of an answer to a READ. */
function structuredAnswer({ cookie, offset }: WireRequest, error: number, data: Buffer): Buffer {
  if (error !== 0) return errorChunkBytes({ cookie, error });
  return data.length === 0 ? doneBytes(cookie) : dataChunkBytes({ cookie, offset, data });
}

/** Accepts the latest attempt to connect. */
export function serve(network: FakeNetwork, hello: Parameters<typeof serverHello>[0] = {}): Promise<PlayedServer> {
  return PlayedServer.on(network.lastDial, hello);
}
