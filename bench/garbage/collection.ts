/** One garbage collection, as `node --trace-gc-nvp` tells of it. */
export interface Collection {
  /** Since the process began. */
  readonly atMs: number;
  /** A scavenge collects what was made lately; anything else looks at the whole heap. */
  readonly isScavenge: boolean;
  /** For how long the program stood still. */
  readonly pauseMs: number;
  /** What was allocated on the heap since the collection before. */
  readonly allocatedBytes: number;
}

/**
 * Reads the collections from the output of `node --trace-gc-nvp`, in which lines of others may stand between them. The
 * last line may be cut off anywhere and is left out then.
 */
export function parseCollections(output: string): Collection[] {
  return output.split("\n").slice(0, -1).flatMap(parseLine);
}

//     [17893:0xcd38c00]      734 ms: pause=0.6 mutator=4.4 gc=s reduce_memory=0 ... allocated=15961904 promoted=0 ...
const LINE = /^\[[^\]]*\]\s+(?<atMs>\d+) ms: (?<pairs>pause=.*)$/;

function parseLine(line: string): Collection[] {
  const { atMs, pairs } = LINE.exec(line)?.groups ?? {};
  if (atMs === undefined || pairs === undefined) return [];
  const values = new Map(pairs.split(" ").map((pair) => pair.split("=", 2) as [string, string]));
  const pauseMs = Number(values.get("pause"));
  const allocatedBytes = Number(values.get("allocated"));
  if (Number.isNaN(pauseMs) || Number.isNaN(allocatedBytes)) throw new Error(`not a collection: ${line}`);
  return [{ atMs: Number(atMs), isScavenge: values.get("gc") === "s", pauseMs, allocatedBytes }];
}
