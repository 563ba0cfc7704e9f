/** What may happen that concerns a block. */
export const BLOCK_EVENT = {
  /** A client asks: operation, kind of operation. */
  begun: 0,
  /** A client is answered: operation, result. */
  ended: 1,
  /** A READ is sent: operation. */
  readSent: 2,
  /** A write-like request is sent: slot, value, whether it has FUA. */
  writeSent: 3,
  /** It is answered: slot, value. */
  writeAnswered: 4,
  /** A FLUSH is sent: slot. */
  flushSent: 5,
  /** It is answered: slot, 1 when it failed. */
  flushAnswered: 6,
  /** There is a new connection. What was sent over the one before and is not carried out is late from now on. */
  connected: 7,
  /** Such a request is not carried out any more: slot, value. */
  expired: 8,
} as const;

/** The result of an operation, beside the values of blocks. */
export const RESULT = {
  /** The first of these; all below are values. */
  foreign: 8,
  /** A READ shows what the server sent. */
  shown: 9,
  done: 10,
  failed: 11,
} as const;

/** An event as a number, which is small enough to be an index. */
export function blockEvent(kind: number, number = 0, value = 0, flag = 0): number {
  return kind + 16 * number + 256 * value + 4096 * flag;
}

/** The parts of such a number. */
export function eventParts(event: number): { kind: number; number: number; value: number; flag: number } {
  return { kind: event & 15, number: (event >> 4) & 15, value: (event >> 8) & 15, flag: event >> 12 };
}
