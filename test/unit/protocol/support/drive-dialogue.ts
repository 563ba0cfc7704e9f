import type { Dialogue } from "../../../../src/protocol/dialogue.ts";

/** How a dialogue ended: with a result, with an error that it threw, or waiting for bytes that never came. */
export type Ending<Result> =
  | { readonly kind: "returned"; readonly result: Result }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "starved" };

/** Everything that can be seen of a dialogue from outside. */
export interface Driven<Result> {
  readonly ending: Ending<Result>;
  /** All that it sent. */
  readonly sent: Buffer;
  /** How many bytes it had received or skipped at each write. */
  readonly writtenAfterBytes: readonly number[];
  /** What arrived and was not asked for. */
  readonly unread: Buffer;
  /** The longest single read that it asked for. */
  readonly longestReadBytes: number;
}

class Starved extends Error {}

/** Bytes on their way, in the pieces in which they arrive; a taker waits until enough are there or the end is. */
class Pipe {
  #arrived = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  put(chunk: Buffer): void {
    this.#arrived = Buffer.concat([this.#arrived, chunk]);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async take(lengthBytes: number): Promise<Buffer> {
    while (this.#arrived.length < lengthBytes) {
      if (this.#ended) throw new Starved();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = Buffer.from(this.#arrived.subarray(0, lengthBytes));
    this.#arrived = this.#arrived.subarray(lengthBytes);
    return taken;
  }

  get rest(): Buffer {
    return this.#arrived;
  }
}

/** Drives a dialogue with bytes that arrive in these chunks, after which the other side closes. */
export async function driveDialogue<Result>(
  dialogue: Dialogue<Result>,
  chunks: readonly Buffer[],
): Promise<Driven<Result>> {
  const incoming = new Pipe();
  const driving = drive(dialogue, incoming, () => {});
  for (const chunk of chunks) {
    incoming.put(chunk);
    await Promise.resolve();
  }
  incoming.end();
  return { ...(await driving), unread: incoming.rest };
}

/** Lets two dialogues talk to each other until both have ended. */
export async function converse<Left, Right>(
  left: Dialogue<Left>,
  right: Dialogue<Right>,
): Promise<{ readonly left: Driven<Left>; readonly right: Driven<Right> }> {
  const toLeft = new Pipe();
  const toRight = new Pipe();
  const [leftDriven, rightDriven] = await Promise.all([
    drive(left, toLeft, (bytes) => toRight.put(bytes)).finally(() => toRight.end()),
    drive(right, toRight, (bytes) => toLeft.put(bytes)).finally(() => toLeft.end()),
  ]);
  return { left: { ...leftDriven, unread: toLeft.rest }, right: { ...rightDriven, unread: toRight.rest } };
}

async function drive<Result>(
  dialogue: Dialogue<Result>,
  incoming: Pipe,
  send: (bytes: Buffer) => void,
): Promise<Driven<Result>> {
  const sent: Buffer[] = [];
  const writtenAfterBytes: number[] = [];
  let receivedBytes = 0;
  let longestReadBytes = 0;

  const talk = async (): Promise<Ending<Result>> => {
    let step = dialogue.next();
    while (step.done !== true) {
      const effect = step.value;
      let answer: unknown;
      if (effect.kind === "write") {
        sent.push(Buffer.from(effect.bytes));
        writtenAfterBytes.push(receivedBytes);
        send(Buffer.from(effect.bytes));
      } else if (effect.kind === "wait") {
        const [settled] = await Promise.allSettled([effect.promise]);
        if (settled.status === "rejected") {
          step = dialogue.throw(settled.reason);
          continue;
        }
        answer = settled.value;
      } else {
        if (effect.lengthBytes <= 0) throw new Error(`asked to ${effect.kind} ${effect.lengthBytes} bytes`);
        if (effect.kind === "read") longestReadBytes = Math.max(longestReadBytes, effect.lengthBytes);
        const bytes = await incoming.take(effect.lengthBytes);
        receivedBytes += effect.lengthBytes;
        answer = effect.kind === "read" ? bytes : undefined;
      }
      step = dialogue.next(answer);
    }
    return { kind: "returned", result: step.value };
  };

  const ending = await talk().catch((error: unknown): Ending<Result> =>
    error instanceof Starved ? { kind: "starved" } : { kind: "threw", error },
  );
  return { ending, sent: Buffer.concat(sent), writtenAfterBytes, unread: incoming.rest, longestReadBytes };
}

/** Messages longer than twice this consist of filler in the middle, where one cut is like the next. */
const CUT_MARGIN_BYTES = 300;

/** The same bytes as they may arrive: whole, byte by byte, and in two pieces cut at every position. */
function everyChunking(bytes: Buffer): Buffer[][] {
  const cuts = Array.from({ length: Math.max(bytes.length - 1, 0) }, (_, index) => index + 1).filter(
    (cut) => cut < CUT_MARGIN_BYTES || cut > bytes.length - CUT_MARGIN_BYTES,
  );
  return [
    [bytes],
    Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
    ...cuts.map((cut) => [bytes.subarray(0, cut), bytes.subarray(cut)]),
  ];
}

/** Drives a fresh dialogue for every way the bytes may arrive, and returns what all of them did; throws if they differ. */
export async function driveEveryWay<Result>(make: () => Dialogue<Result>, bytes: Buffer): Promise<Driven<Result>> {
  const [whole, ...others] = await Promise.all(everyChunking(bytes).map((chunks) => driveDialogue(make(), chunks)));
  if (whole === undefined) throw new Error("there is always one way");
  const expected = describeDriven(whole);
  for (const other of others) {
    const actual = describeDriven(other);
    if (actual !== expected)
      throw new Error(`the pieces matter:\n${expected.slice(0, 2000)}\n${actual.slice(0, 2000)}`);
  }
  return whole;
}

function describeDriven<Result>({ ending, sent, unread, writtenAfterBytes }: Driven<Result>): string {
  const end =
    ending.kind === "threw" ? String(ending.error) : ending.kind === "returned" ? JSON.stringify(ending) : ending.kind;
  return `${end} sent ${sent.toString("hex")} unread ${unread.toString("hex")} at ${writtenAfterBytes.join()}`;
}
