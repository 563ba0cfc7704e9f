import { type SentWrite, type Slots, writeAt } from "./slots.ts";

/**
 * One way in which things may stand at the server for one block, as weak as the protocol allows: what is answered may still be
 * volatile, a FLUSH covers what was answered before over its own connection, a failed one may leave what is seen and
 * never written back, a crash leaves any version that could have been written back.
 */
export interface BlockServer {
  readonly stable: number;
  /** What the block looked like since, in order: a value and a MARK each. The last one is seen. */
  readonly versions: readonly number[];
  /** The slots of the writes that are not carried out, as bits. */
  readonly waiting: number;
  /** The FLUSHes that are not answered: a slot and one of FLUSH_STATE each. */
  readonly flushes: readonly number[];
  /** For each operation the values that its READ may show so far, as bits. */
  readonly reading: readonly number[];
  /** For each operation the value that its READ showed. */
  readonly shown: readonly number[];
  /** A request of a lost connection was carried out after the next one was there. */
  readonly late: boolean;
}

/** What is known of a version: sent and answered over this connection, of an earlier one, or never written back any more. */
const MARK = { sent: 0, answered: 16, old: 32, phantom: 48 } as const;
const FLUSH_STATE = { waiting: 0, done: 16, failed: 32 } as const;
const LOW = 15;

/** What READs showed that have shown nothing yet. */
export const NOTHING = -1;

/** What the server did, in words, and how things stand then. */
export interface ServerStep {
  readonly server: BlockServer;
  readonly what: string;
}

/** What a block reads as. */
export function seenValue({ stable, versions }: BlockServer): number {
  const last = versions.at(-1);
  return last === undefined ? stable : last & LOW;
}

/** The values of which any one may be left when the cache is lost. */
export function possibleValues({ stable, versions }: BlockServer): readonly number[] {
  const left = versions.filter((version) => (version & ~LOW) !== MARK.phantom).map((version) => version & LOW);
  return [...new Set([stable, ...left])];
}

/** Everything that the server may do next of its own accord with what it was sent. */
export function nextSteps(server: BlockServer, slots: Slots): readonly ServerStep[] {
  const steps: ServerStep[] = [];
  for (let slot = 0; slot < slots.length; slot += 1) {
    const write = writeAt(slots, slot);
    if (write === undefined || (server.waiting & (1 << slot)) === 0) continue;
    steps.push({
      server: written(server, slot, write),
      what: `carries out the ${write.late ? "late " : ""}write of ${write.value}`,
    });
  }
  for (const [place, flush] of server.flushes.entries()) {
    if ((flush & ~LOW) !== FLUSH_STATE.waiting) continue;
    const failed = server.flushes.with(place, flush | FLUSH_STATE.failed);
    const done = flushed(server);
    const dirty = server.versions.map((version) => {
      return (version & ~LOW) === MARK.old ? version : (version & LOW) | MARK.phantom;
    });
    steps.push(
      { server: { ...done, flushes: server.flushes.with(place, flush | FLUSH_STATE.done) }, what: "flushes" },
      { server: { ...done, flushes: failed }, what: "flushes, and will say that it failed" },
      { server: { ...server, flushes: failed }, what: "fails to flush" },
      {
        server: { ...server, versions: tidied(server.stable, dirty), flushes: failed },
        what: "fails to flush, and counts what was written as clean",
      },
    );
  }
  return steps;
}

/** The server answers the write of a value, which it must have carried out; undefined when it has not. */
export function answerWrite(server: BlockServer, slot: number, value: number): BlockServer | undefined {
  if ((server.waiting & (1 << slot)) !== 0) return undefined;
  const place = server.versions.lastIndexOf(value | MARK.sent);
  if (place < 0) return server;
  return { ...server, versions: tidied(server.stable, server.versions.with(place, value | MARK.answered)) };
}

/** A write is sent. */
export function sendWrite(server: BlockServer, slot: number): BlockServer {
  return { ...server, waiting: server.waiting | (1 << slot) };
}

/** A write is not carried out any more. */
export function expireWrite(server: BlockServer, slot: number): BlockServer {
  return { ...server, waiting: server.waiting & ~(1 << slot) };
}

/** A FLUSH is sent. */
export function sendFlush(server: BlockServer, slot: number): BlockServer {
  return { ...server, flushes: [...server.flushes, slot | FLUSH_STATE.waiting] };
}

/** The server answers a FLUSH like this; undefined when it can't. */
export function answerFlush(server: BlockServer, slot: number, failed: boolean): BlockServer | undefined {
  const place = server.flushes.indexOf(slot | (failed ? FLUSH_STATE.failed : FLUSH_STATE.done));
  return place < 0 ? undefined : { ...server, flushes: server.flushes.toSpliced(place, 1) };
}

/** A READ is sent: whatever is seen from now on may be what it shows. */
export function sendRead(server: BlockServer, operation: number): BlockServer {
  return { ...server, reading: server.reading.with(operation, 1 << seenValue(server)) };
}

/** A READ is answered: every way in which the server may do that. Where it shows something else, the server is not asked. */
export function answerRead(server: BlockServer, operation: number, showsServer: boolean): readonly ServerStep[] {
  const mask = server.reading[operation] ?? 0;
  const answered = { ...server, reading: server.reading.with(operation, 0) };
  if (!showsServer) return [{ server: answered, what: "" }];
  const steps: ServerStep[] = [];
  for (let value = 0; mask >> value !== 0; value += 1) {
    if ((mask & (1 << value)) === 0) continue;
    steps.push({
      server: { ...answered, shown: answered.shown.with(operation, value) },
      what: `shows ${value} to operation ${operation}`,
    });
  }
  return steps;
}

/** There is a new connection: the server has gone on all the time, or it has crashed meanwhile. */
export function reconnect(server: BlockServer): readonly ServerStep[] {
  const reading = server.reading.map(() => 0);
  const versions = server.versions.map((version) => {
    return (version & ~LOW) === MARK.phantom ? version : (version & LOW) | MARK.old;
  });
  const survived = { ...server, reading, flushes: [], versions: tidied(server.stable, versions) };
  const crashes = possibleValues(server).map((stable) => ({
    server: { ...survived, stable, versions: [], waiting: 0 },
    what: `crashed, and ${stable} is left`,
  }));
  return [{ server: survived, what: "has not crashed" }, ...crashes];
}

function written(server: BlockServer, slot: number, { value, fua, late }: SentWrite): BlockServer {
  const mark = late ? MARK.old : MARK.sent;
  const { stable, versions, waiting, reading } = server;
  return {
    ...server,
    stable: fua ? value : stable,
    versions: fua ? [] : tidied(stable, [...versions, value | mark]),
    waiting: waiting & ~(1 << slot),
    reading: reading.map((mask) => (mask === 0 ? 0 : mask | (1 << value))),
    late: server.late || late,
  };
}

/** What was answered over this connection is stable, and so is what lies below it. */
function flushed(server: BlockServer): BlockServer {
  const last = server.versions.findLastIndex((version) => (version & ~LOW) === MARK.answered);
  if (last < 0) return server;
  const stable = (server.versions[last] ?? 0) & LOW;
  return { ...server, stable, versions: tidied(stable, server.versions.slice(last + 1)) };
}

/** Leaves out the versions that make no difference: phantoms that are not seen, and what only repeats what is below it. */
function tidied(stable: number, versions: readonly number[]): readonly number[] {
  const kept: number[] = [];
  for (const [place, version] of versions.entries()) {
    if ((version & ~LOW) === MARK.phantom && place < versions.length - 1) continue;
    const repeats = kept.length === 0 ? (version & LOW) === stable : version === kept.at(-1);
    if (!repeats) kept.push(version);
  }
  return kept;
}
