import type { DialOutcome, DialTarget, Endpoint, Listening, ListenOptions, Network } from "../../src/ports/network.ts";
import { endpointText } from "../../src/transport/endpoint-text.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { type Link, type LinkWeather, SimulatedStream } from "./simulated-stream.ts";

/** What becomes of an attempt to connect; silent ones get no answer at all. */
export type DialAnswer = "accept" | "refuse" | "silence";

/** Someone who listens. */
interface Host {
  readonly accept: (stream: SimulatedStream) => void;
  answer: DialAnswer;
}

/** A connection as the world sees it, which can break it. */
export class Connection {
  readonly endpoint: string;
  readonly dialler: SimulatedStream;
  readonly accepted: SimulatedStream;
  readonly #link: Link;
  #left = false;
  #onLeft: (() => void) | undefined;

  constructor(endpoint: string, link: Link, number: number) {
    this.endpoint = endpoint;
    this.#link = link;
    this.dialler = new SimulatedStream(endpoint, link, () => this.#diallerLeft());
    this.accepted = new SimulatedStream(`peer-${number}`, link);
    SimulatedStream.join(this.dialler, this.accepted);
  }

  get open(): boolean {
    return !this.dialler.gone || !this.accepted.gone;
  }

  /** It was broken from outside: neither end is to blame for what got lost. */
  get severed(): boolean {
    return this.#link.severed;
  }

  /** Cuts the wire; each end learns of it at a moment of its own. */
  sever(longestMs: number): void {
    if (this.#link.severed) return;
    this.#link.severed = true;
    const { random } = this.#link;
    for (const end of [this.dialler, this.accepted]) end.sever(random.between(0, longestMs));
  }

  /** Calls back once the end that dialled has given the connection up, by DISC or otherwise, or has learnt that it is lost. */
  whenLeft(callback: () => void): void {
    if (this.#left) callback();
    else this.#onLeft = callback;
  }

  /** Holds back everything that is sent from now on. */
  freeze(forMs: number): void {
    this.#link.frozenUntilMs = this.#link.clock.nowMs() + forMs;
  }

  #diallerLeft(): void {
    if (this.#left) return;
    this.#left = true;
    this.#onLeft?.();
  }
}

/** A network in memory: the seed decides how long bytes take, where they are cut, and what gets lost. */
export class SimulatedNetwork implements Network {
  readonly #clock: SimulatedClock;
  readonly #random: SeededRandom;
  readonly #weather: LinkWeather;
  readonly #hosts = new Map<string, Host>();
  #connections: Connection[] = [];
  #made = 0;

  constructor(clock: SimulatedClock, random: SeededRandom, weather: LinkWeather) {
    this.#clock = clock;
    this.#random = random;
    this.#weather = weather;
  }

  /** Connections that at least one end still holds. */
  get connections(): readonly Connection[] {
    this.#connections = this.#connections.filter((connection) => connection.open);
    return this.#connections;
  }

  /** The connection that this stream is an end of. */
  connectionOf(stream: object): Connection | undefined {
    return this.#connections.find(({ dialler, accepted }) => dialler === stream || accepted === stream);
  }

  /** Listens at once; the returned host says what becomes of those who dial. */
  serve(endpoint: Endpoint, accept: (stream: SimulatedStream) => void): { answer: DialAnswer } {
    const host: Host = { accept, answer: "accept" };
    this.#hosts.set(endpointText(endpoint), host);
    return host;
  }

  dial(target: DialTarget, outcome: DialOutcome): { abort(): void } {
    const endpoint = endpointText(target.endpoint);
    let over = false;
    this.#clock.setTimer(this.#latencyMs(), () => {
      const host = this.#hosts.get(endpoint);
      if (over || host?.answer === "silence") return;
      over = true;
      if (host === undefined || host.answer === "refuse") {
        outcome.failed(new Error(`connect ECONNREFUSED ${endpoint}`));
        return;
      }
      const connection = this.#connect(endpoint);
      this.#clock.setTimer(this.#latencyMs(), () => host.accept(connection.accepted));
      outcome.connected(connection.dialler);
    });
    return { abort: () => (over = true) };
  }

  listen({ endpoint }: ListenOptions, accept: (stream: SimulatedStream) => void): Promise<Listening> {
    this.serve(endpoint, accept);
    const close = (): Promise<void> => {
      this.#hosts.delete(endpointText(endpoint));
      return Promise.resolve();
    };
    return Promise.resolve({ endpoint, close });
  }

  #connect(endpoint: string): Connection {
    this.#made += 1;
    const link: Link = {
      clock: this.#clock,
      random: this.#random,
      weather: this.#weather,
      frozenUntilMs: 0,
      severed: false,
    };
    const connection = new Connection(endpoint, link, this.#made);
    this.#connections.push(connection);
    return connection;
  }

  #latencyMs(): number {
    return this.#random.between(this.#weather.latencyMinMs, this.#weather.latencyMaxMs);
  }
}
