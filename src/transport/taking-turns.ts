import { LIMITS } from "../limits.ts";

/**
 * Recognises a conversation of exactly two, through us, in which only one has the word: what one of them says goes to the other,
 * who is the next to speak. So it is with one small request in flight.
 */
export class TakingTurns<Side> {
  #turns = 0;
  /** Who was spoken to and has not answered. */
  #asked: Side | undefined;
  #lastHeard: Side | undefined;

  /** Who alone can have something to say now; undefined when several may, or they have not taken turns for long enough. */
  get next(): Side | undefined {
    return this.#turns < LIMITS.turnsTaken ? undefined : this.#asked;
  }

  /** Something was said to that side. */
  said(to: Side): void {
    if (this.#asked !== undefined || to === this.#lastHeard) this.#turns = 0;
    this.#asked = to;
  }

  /** Something came from that side, so many bytes of it. */
  heard(from: Side, bytes: number): void {
    const goesOn = this.#asked === undefined && from === this.#lastHeard;
    if (bytes >= LIMITS.closeLookBytes || (from !== this.#asked && !goesOn)) this.#turns = 0;
    // The rest of what he was about to say is no turn, and changes nothing.
    else if (!goesOn && this.#turns < LIMITS.turnsTaken) this.#turns += 1;
    this.#asked = undefined;
    this.#lastHeard = from;
  }
}
