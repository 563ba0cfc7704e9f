import type { Reply } from "../../../src/disk.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { RequestFlow } from "../../../src/upstream/request-flow.ts";
import type { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { geometry } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";

/** A success without data. */
export const DONE: Reply = { error: 0, pieces: [], room: undefined };

/** A connection that notes what is sent over it. */
export class PlayedSession {
  readonly sent: InFlight[] = [];
  readonly geometry;

  constructor(flags = ALL_FLAGS) {
    this.geometry = geometry({ flags });
  }

  send(entry: InFlight): void {
    entry.session = this as unknown as UpstreamSession;
    entry.wire = entry.session;
    this.sent.push(entry);
  }

  get offsets(): number[] {
    return this.sent.map(({ offset }) => offset);
  }

  /** What was sent, as text: command, flags, offset and length. */
  get lines(): string[] {
    return this.sent.map(({ command, flags, offset, length }) => `${command}/${flags} at ${offset}+${length}`);
  }
}

/** A RequestFlow whose connections are the test. */
export function playFlow() {
  const flow = new RequestFlow();
  const connect = (flags?: number): PlayedSession => {
    const session = new PlayedSession(flags);
    flow.connected(session as unknown as UpstreamSession);
    return session;
  };
  const reply = (session: PlayedSession, index: number, error = 0): void =>
    flow.replied(session.sent[index] as InFlight, { ...DONE, error });
  /** What a session asks before it hands an answer on: whether the request still waits for one over this connection. */
  const answerable = (session: PlayedSession, entry: InFlight): boolean =>
    (entry.wire as unknown) === session && flow.find(entry.cookieHigh, entry.cookieLow) === entry;
  return { flow, connect, reply, answerable };
}
