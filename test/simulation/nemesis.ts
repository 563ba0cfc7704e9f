import type { ModelServer } from "./model-server.ts";
import type { Fault, Scenario } from "./scenario.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { Connection, SimulatedNetwork } from "./simulated-network.ts";

/** What a Nemesis breaks, and how it knows the two kinds of connections apart. */
export interface NemesisOptions {
  readonly scenario: Scenario;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly server: ModelServer;
  readonly serverEndpoint: string;
  readonly proxyEndpoint: string;
  readonly note: (event: string) => void;
}

/** Faults that lose connections to the server. */
const LOSSES: ReadonlySet<Fault> = new Set(["cut-server", "crash", "shut-down"]);

/** Brings fault after fault over a history, until it calms down. */
export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #ambushes: readonly Fault[];
  #faults = 0;
  #calm = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#ambushes = options.scenario.faults.filter((fault) => LOSSES.has(fault));
  }

  /** Faults so far. */
  get faults(): number {
    return this.#faults;
  }

  /** Goes on until `calm`, or the scenario's end of it. */
  begin(): void {
    const { clock, scenario } = this.#options;
    clock.setTimer(scenario.calmAtMs, () => this.calm());
    if (scenario.faults.length > 0) this.#wait();
  }

  /** The server was asked for something that matters: a good moment to strike, soon. */
  ambush(): void {
    const { clock, random, scenario } = this.#options;
    if (this.#calm || this.#ambushes.length === 0 || !random.chance(scenario.ambushChance)) return;
    clock.setTimer(random.between(0, scenario.character.serveMaxMs), () => {
      if (!this.#calm) this.#strike(random.pick(this.#ambushes));
    });
  }

  /** No more faults; what went wrong before may still be noticed. */
  calm(): void {
    if (this.#calm) return;
    this.#calm = true;
    this.#options.note("calm: no more faults");
    this.#options.server.calm();
  }

  #wait(): void {
    const { clock, random, scenario } = this.#options;
    clock.setTimer(random.between(0, 2 * scenario.faultIntervalMs), () => {
      if (this.#calm) return;
      this.#strike(random.pick(scenario.faults));
      this.#wait();
    });
  }

  #strike(fault: Fault): void {
    const { note, random, server } = this.#options;
    if (fault === "crash" || fault === "shut-down") {
      if (!server.up) return;
      if (fault === "crash") server.crash(this.#awayMs());
      else server.shutDown(random.between(0, 10), this.#awayMs());
    } else {
      const atServer = fault.endsWith("server");
      const victim = this.#connection(atServer);
      if (victim === undefined) return;
      note(`${fault} (${victim.accepted.peer})`);
      if (fault.startsWith("cut")) victim.sever(random.chance(0.1) ? 3000 : 5);
      else victim.freeze(fault === "hang-server" ? random.between(0, 60_000) : random.between(0, 50));
    }
    this.#faults += 1;
  }

  #awayMs(): number {
    const { random } = this.#options;
    return random.chance(0.8) ? random.between(0, 50) : random.between(0, 3000);
  }

  #connection(atServer: boolean): Connection | undefined {
    const { network, proxyEndpoint, random, serverEndpoint } = this.#options;
    const endpoint = atServer ? serverEndpoint : proxyEndpoint;
    const candidates = network.connections.filter((one) => one.endpoint === endpoint && !one.severed);
    return candidates.length === 0 ? undefined : random.pick(candidates);
  }
}
