/**
 * What a handshake wants next. A dialogue yields effects and is resumed with their result: the bytes of a `read`, what
 * the promise of a `wait` became, nothing for the others. Whoever drives it owns sockets, time and limits of patience.
 */
export type Effect =
  | { readonly kind: "read"; readonly lengthBytes: number }
  /** Receive that many bytes and forget them. */
  | { readonly kind: "skip"; readonly lengthBytes: number }
  | { readonly kind: "write"; readonly bytes: Buffer }
  | { readonly kind: "wait"; readonly promise: Promise<unknown> };

/** A conversation as a generator: each `yield` is a state, and the code reads in the order of the protocol's text. */
export type Dialogue<Result> = Generator<Effect, Result, unknown>;

/** Receives exactly that many bytes; they are the caller's own copy. */
export function* read(lengthBytes: number): Dialogue<Buffer> {
  return (yield { kind: "read", lengthBytes }) as Buffer;
}

/** Receives that many bytes and forgets them. */
export function* skip(lengthBytes: number): Dialogue<void> {
  yield { kind: "skip", lengthBytes };
}

/** Sends bytes. */
export function* write(bytes: Buffer): Dialogue<void> {
  yield { kind: "write", bytes };
}

/** Waits for something outside the connection; a rejection is thrown here. */
export function* wait<Value>(promise: Promise<Value>): Dialogue<Value> {
  return (yield { kind: "wait", promise }) as Value;
}
