/**
 * Where a connection stands, for what may be sent over it. `away`: there is none. `replaying`: the write log is written again.
 * `resending`: requests that an earlier connection was sent go first. `open`: whatever comes. `quiescing`: what is
 * under way comes to its end, so that the log can be written again.
 */
export type SendingPhase = "away" | "replaying" | "resending" | "open" | "quiescing";

/**
 * What wants to be sent: a fragment of the log; a write that was sent before; what a pin has kept, when it ends; a FLUSH; or
 * any other request.
 */
export type Sendable = "replay" | "resend" | "rewrite" | "flush" | "request";

const MAY_BE_SENT: Readonly<Record<SendingPhase, readonly Sendable[]>> = {
  away: [],
  replaying: ["replay"],
  resending: ["resend"],
  open: ["rewrite", "flush", "request"],
  quiescing: [],
};

/**
 * Who goes when (R6): after a reconnect first the whole log, then the writes that were sent before, then everything else. A
 * new write that passed the replay would be overwritten by older data; a FLUSH that passed it would confirm what is
 * missing; a read that passed a write sent before could show what is then changed back.
 */
export class SendingOrder {
  #phase: SendingPhase = "away";
  #mayBeSent = MAY_BE_SENT.away;

  get phase(): SendingPhase {
    return this.#phase;
  }

  set phase(phase: SendingPhase) {
    this.#phase = phase;
    this.#mayBeSent = MAY_BE_SENT[phase];
  }

  /** Whether this may be sent now. */
  maySend(what: Sendable): boolean {
    return this.#mayBeSent.includes(what);
  }
}
