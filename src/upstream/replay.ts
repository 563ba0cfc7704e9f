import { LIMITS } from "../limits.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { StandInStep } from "./stand-in.ts";

/** Whom a Replay tells. */
export interface ReplayOptions {
  /** Sends a request; `answered` is called unless the connection is lost first, perhaps during this call. */
  readonly send: (request: StandInStep, answered: (error: number) => void) => void;
  /** All of them are answered, so many with an error; `error` is the last one. */
  readonly finished: (refused: number, error: number) => void;
}

/** Writes a log again: many requests at once, none of which overlap, but not more than a server should have to hold. */
export class Replay {
  readonly #requests: readonly StandInStep[];
  readonly #options: ReplayOptions;
  #next = 0;
  #underWay = 0;
  #bytesUnderWay = 0;
  #refused = 0;
  #error = 0;
  #filling = false;

  constructor(requests: readonly StandInStep[], options: ReplayOptions) {
    this.#requests = requests;
    this.#options = options;
  }

  /** Sends the first ones; the others follow as these are answered. */
  begin(): void {
    this.#fill();
  }

  #fill(): void {
    // An answer during `send` is counted, and the loop goes on.
    if (this.#filling) return;
    this.#filling = true;
    for (let request = this.#requests[this.#next]; request !== undefined && this.#hasRoom;) {
      this.#send(request);
      request = this.#requests[this.#next];
    }
    this.#filling = false;
    if (this.#underWay === 0) this.#options.finished(this.#refused, this.#error);
  }

  get #hasRoom(): boolean {
    return this.#underWay < LIMITS.replayWindowRequests && this.#bytesUnderWay < LIMITS.replayWindowBytes;
  }

  #send(request: StandInStep): void {
    const bytes = request.payload.length === 0 ? 0 : request.length;
    this.#next += 1;
    this.#underWay += 1;
    this.#bytesUnderWay += bytes;
    this.#options.send(request, (error) => {
      this.#underWay -= 1;
      this.#bytesUnderWay -= bytes;
      // A TRIM is a hint: what it leaves is not defined anyway.
      if (error !== 0 && request.command !== COMMAND.TRIM) {
        this.#refused += 1;
        this.#error = error;
      }
      this.#fill();
    });
  }
}
