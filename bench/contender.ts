/** What a contender is to the others. */
export type Role =
  /** No proxy at all. */
  | "direct"
  /** The program that this is about. */
  | "ours"
  /** Another program that survives a restart of the server. */
  | "resilient"
  /** Another program that doesn't. */
  | "peer"
  /** Copies bytes and understands none: what a user-space copy costs at least. */
  | "pipe";

/** How a server greets its clients; `newstyle-simple` agrees to anything but structured replies. */
export type Handshake = "newstyle" | "newstyle-simple" | "oldstyle";

/** Something that stands between the client and the server, or nothing. */
export interface Contender {
  /** Unique. */
  readonly name: string;
  readonly role: Role;
  /** What the server behind it has to speak. */
  readonly handshake: Handshake;
  /** The program and its arguments that listen on one TCP port of 127.0.0.1 for the server on the other. */
  readonly command: ((listenPort: number, serverPort: number) => readonly [string, ...string[]]) | undefined;
  /** How often the command is started, side by side, for clients that are spread over them; once when absent. */
  readonly processes?: number;
}

/** A contender that can't take part, and why. */
export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}
