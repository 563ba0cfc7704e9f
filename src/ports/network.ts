/** Where a listener or a server is: a TCP host and port, or the path of a UNIX domain socket. */
export type Endpoint =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The network, handed in from outside: real sockets in production, memory and a seed in the simulation. */
export interface Network {
  /**
   * Starts one attempt to connect. Exactly one of `connected` and `failed` is called, later and never during the call,
   * unless the attempt is aborted before.
   */
  dial(target: DialTarget, outcome: DialOutcome): { abort(): void };
  /** Starts to listen. Rejects with the system's error when the endpoint can't be had. */
  listen(options: ListenOptions, accept: (stream: ByteStream) => void): Promise<Listening>;
}

/** Whom to connect to, and from which local address (undefined: the system's choice). */
export interface DialTarget {
  readonly endpoint: Endpoint;
  readonly bindAddress: string | undefined;
}

/** Who is told how an attempt to connect ended. */
export interface DialOutcome {
  connected(stream: ByteStream): void;
  failed(error: Error): void;
}

/** What to listen on; `socketMode` are the permission bits of a UNIX socket. */
export interface ListenOptions {
  readonly endpoint: Endpoint;
  readonly socketMode: number;
}

/** An open listener. */
export interface Listening {
  /** Where it really listens: port 0 has become a port. */
  readonly endpoint: Endpoint;
  /** Stops accepting and removes what listening created. Streams that were accepted live on. */
  close(): Promise<void>;
}

/**
 * One connection's bytes, both ways.
 *
 * Nothing is read before `start`. Reading goes into memory that the reader hands out, writing takes memory that must
 * not change until it has left.
 */
export interface ByteStream {
  /** Who is at the other end, for log lines; safe to print. */
  readonly peer: string;
  /** The IP address at the other end; undefined on UNIX sockets. */
  readonly peerAddress: string | undefined;
  /** Begins to read into what `reader` hands out; a second call hands the reading over to another reader. */
  start(reader: StreamReader): void;
  /** Stops reading for a while; bytes wait in the system, and the other side's leaving goes unseen. */
  pause(): void;
  resume(): void;
  /**
   * Sends the chunks in order. True: all of them have left, their memory is free again. False: `reader.drained` is
   * called when all that was written so far has left.
   */
  write(chunks: readonly Buffer[]): boolean;
  /**
   * Runs a step as soon as what is being received now was received, or the running code is done; a little later when
   * others than before have something to send here: what arrives together leaves together.
   */
  putOff(step: () => void): void;
  /** Half-closes: what was written still leaves, then the other side sees the end. Reading goes on. */
  end(): void;
  /** Closes at once, dropping what has not left. `reader.closed` follows, later. Safe to call again. */
  destroy(): void;
  /** As `destroy`, and the other side sees a reset, not an end. */
  reset(): void;
}

/** What a ByteStream tells the one who reads it. */
export interface StreamReader {
  /** The memory for the next read, never empty. */
  buffer(): Buffer;
  /** `count` bytes were put at the beginning of what `buffer` last returned. */
  received(count: number): void;
  /** Everything written so far has left. */
  drained(): void;
  /** The other side half-closed: nothing more will be received. */
  ended(): void;
  /** The connection is gone, with the error that ended it, if one did. Called once, and nothing after it. */
  closed(error: Error | undefined): void;
}
