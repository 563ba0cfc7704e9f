import { FakeStream } from "./fake-stream.ts";

/** How a connection between two ends in memory behaves. */
export interface PairOptions {
  /** The most that one read returns. */
  readonly readBytes?: number;
  /** Bytes that may be on their way in one direction before the writer has a backlog. */
  readonly capacityBytes?: number;
}

/** Two ends of one connection: what leaves the one arrives at the other, later. */
export function streamPair(options: PairOptions = {}): [FakeStream, FakeStream] {
  const one = new FakeStream("one");
  const other = new FakeStream("other");
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    here.readBytes = options.readBytes ?? Number.POSITIVE_INFINITY;
    here.takeOnly(options.capacityBytes ?? Number.POSITIVE_INFINITY);
    here.link = {
      left: (bytes) => queueMicrotask(() => there.say(bytes)),
      read: (count) => there.take(count),
      finished: () => queueMicrotask(() => there.sayEnd()),
      destroyed: () => there.drop(),
    };
  }
  return [one, other];
}
