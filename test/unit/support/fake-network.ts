import type {
  ByteStream,
  DialOutcome,
  DialTarget,
  Endpoint,
  Listening,
  ListenOptions,
  Network,
} from "../../../src/ports/network.ts";
import { FakeStream } from "./fake-stream.ts";

/** One attempt to connect, which the test lets succeed or fail. */
export class FakeDial {
  readonly target: DialTarget;
  aborted = false;
  readonly #outcome: DialOutcome;

  constructor(target: DialTarget, outcome: DialOutcome) {
    this.target = target;
    this.#outcome = outcome;
  }

  /** The server accepts; returns its end, for the test to speak through. */
  connect(stream = new FakeStream("server")): FakeStream {
    if (!this.aborted) this.#outcome.connected(stream);
    return stream;
  }

  refuse(message = "connection refused"): void {
    if (!this.aborted) this.#outcome.failed(new Error(message));
  }
}

/** A network in memory: the test is everybody else. */
export class FakeNetwork implements Network {
  readonly dials: FakeDial[] = [];
  /** Called, later, for every attempt to connect. */
  onDial: ((dial: FakeDial) => void) | undefined;
  listenError: Error | undefined;
  listening: ListenOptions | undefined;
  #accept: ((stream: ByteStream) => void) | undefined;

  dial(target: DialTarget, outcome: DialOutcome): { abort(): void } {
    const dial = new FakeDial(target, outcome);
    this.dials.push(dial);
    queueMicrotask(() => {
      if (!dial.aborted) this.onDial?.(dial);
    });
    return { abort: () => (dial.aborted = true) };
  }

  listen(options: ListenOptions, accept: (stream: ByteStream) => void): Promise<Listening> {
    if (this.listenError !== undefined) return Promise.reject(this.listenError);
    this.listening = options;
    this.#accept = accept;
    const { endpoint } = options;
    const found: Endpoint = endpoint.kind === "tcp" && endpoint.port === 0 ? { ...endpoint, port: 4711 } : endpoint;
    const close = (): Promise<void> => {
      this.listening = undefined;
      return Promise.resolve();
    };
    return Promise.resolve({ endpoint: found, close });
  }

  /** A client connects; returns its end, for the test to speak through. */
  client(name = "client", stream = new FakeStream(name)): FakeStream {
    if (this.#accept === undefined) throw new Error("nobody listens");
    this.#accept(stream);
    return stream;
  }

  /** The latest attempt to connect. */
  get lastDial(): FakeDial {
    const last = this.dials.at(-1);
    if (last === undefined) throw new Error("nobody dialled");
    return last;
  }
}
