import { beforeEach, describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { AdaptivePolling, type PollingLoop, type Speaker } from "../../../src/transport/adaptive-polling.ts";

/** What one look takes here; as many as are done before anybody is let go first are not too many for the shortest window. */
const LOOK_MS = LIMITS.pollingFirstMs / LIMITS.closeLooksAlone / 2;

describe("looking closely at the one who has the word", () => {
  let atMs = 0;
  let gaveWay = 0;
  let step: (() => void) | undefined;
  let polling: AdaptivePolling;
  let client: Partner;
  let server: Partner;

  /** One of two, who passes on what is said to him after so many looks in vain. */
  class Partner implements Speaker {
    looks = 0;
    /** Undefined: he says nothing. */
    looksInVain: number | undefined = 3;
    canTell = true;
    readonly #passOn: () => void;
    #since = 0;

    constructor(passOn: () => void) {
      this.#passOn = passOn;
    }

    look(): boolean | undefined {
      if (!this.canTell) return undefined;
      atMs += LOOK_MS;
      this.looks += 1;
      this.#since += 1;
      if (this.looksInVain === undefined || this.#since <= this.looksInVain) return false;
      this.speak();
      return true;
    }

    speak(): void {
      this.#since = 0;
      polling.arrived(this, 100);
      this.#passOn();
    }
  }

  /** One turn of the event loop, which finds nothing. */
  function turn(): void {
    const next = step;
    step = undefined;
    atMs += LOOK_MS;
    next?.();
  }

  function looks(): number {
    return client.looks + server.looks;
  }

  beforeEach(() => {
    atMs = 0;
    gaveWay = 0;
    step = undefined;
    const loop: PollingLoop = {
      nowMs: () => atMs,
      again: (next) => {
        step = next;
      },
      giveWay: () => {
        gaveWay += 1;
      },
    };
    polling = new AdaptivePolling(loop);
    client = new Partner(() => polling.handedOver(server));
    server = new Partner(() => polling.handedOver(client));
    // Only the event loop sees them at first, and soon enough that it is worth looking.
    client.speak();
    for (let count = 0; count < LIMITS.turnsTaken; count += 1) {
      atMs += LIMITS.pollingFirstMs;
      (count % 2 === 0 ? server : client).speak();
    }
  });

  it("hears answer after answer in one turn of the event loop", () => {
    turn();
    expect(client.looks).toBeGreaterThan(10);
    expect(server.looks).toBeGreaterThan(10);
    expect(step).toBeDefined();
  });

  it("lets the event loop look at the others after so many answers", () => {
    client.looksInVain = 0;
    server.looksInVain = 0;
    turn();
    expect(looks()).toBe(LIMITS.closeAnswers);
    expect(step).toBeDefined();
  });

  it("lets it after so many looks", () => {
    client.looksInVain = 40;
    server.looksInVain = 40;
    turn();
    expect(looks()).toBe(LIMITS.closeLooks);
    expect(step).toBeDefined();
  });

  it("lets others have the processor when there is no answer, and gives up when that takes too long", () => {
    client.looksInVain = undefined;
    server.looksInVain = undefined;
    turn();
    const inVain = looks();
    expect(gaveWay).toBe(Math.floor(inVain / LIMITS.closeLooksAlone));
    expect(inVain * LOOK_MS).toBeGreaterThanOrEqual(LIMITS.pollingFirstMs);
    expect(inVain * LOOK_MS).toBeLessThan(LIMITS.pollingMs + LIMITS.closeLooksAlone * LOOK_MS);
    turn();
    expect(step).toBeUndefined();
    expect(looks()).toBe(inVain);
  });

  it("does not give way as long as answers come soon", () => {
    turn();
    expect(gaveWay).toBe(0);
  });

  it("leaves those to the event loop of whom only that can tell", () => {
    client.canTell = false;
    server.canTell = false;
    turn();
    expect(looks()).toBe(0);
    expect(step).toBeDefined();
  });

  it("looks at nobody when a third one has something to say", () => {
    polling.arrived({ look: () => undefined }, 100);
    polling.handedOver(server);
    turn();
    expect(looks()).toBe(0);
    expect(step).toBeDefined();
  });
});
