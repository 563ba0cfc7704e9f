import { expectThat } from "../support/fuzz-target.ts";
import { pattern } from "../support/pattern.ts";
import { type Asked, ChunkedAnswer } from "./chunked-answer.ts";
import { saysSo } from "./fuzz-contexts.ts";
import { DISK_BYTES, GUARDED_BYTES, REFUSAL } from "./guarded-disk.ts";

const READ = 0;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;
const ERRORS: ReadonlySet<number> = new Set([0, 1, 5, 12, 22, 28, 75, 95, 108]);

/** How a client is answered. */
export interface AgreedStyle {
  readonly structured: boolean;
  /** The metadata contexts that it has selected, by their ids. */
  readonly contexts: ReadonlyMap<number, string>;
}

/** What was asked under one cookie, and is not answered. */
type AskedByCookie = Map<string, Asked[]>;

/**
 * Takes every answered request off the list; returns how many are left. Says no to an answer that has no question, is not in
 * the style that was agreed on, makes no sense, or has the wrong data.
 */
export function auditReplies(output: Buffer, asked: AskedByCookie, style: AgreedStyle): number {
  const audit = new ReplyAudit(asked, style);
  let rest = output;
  for (let taken = audit.take(rest); taken > 0; taken = audit.take(rest)) rest = rest.subarray(taken);
  return audit.unanswered;
}

class ReplyAudit {
  readonly #asked: AskedByCookie;
  readonly #style: AgreedStyle;
  /** Answers of which some chunks have come, and whether the place is known that they are about. */
  readonly #open = new Map<string, { readonly answer: ChunkedAnswer; readonly isPlain: boolean }>();
  /** Cookies of requests in flight together that differ in their place: which of them was answered nobody knows from then on. */
  readonly #doubtful = new Set<string>();
  /** Nobody knows any more which request was answered. */
  #lost = false;

  constructor(asked: AskedByCookie, style: AgreedStyle) {
    this.#asked = asked;
    this.#style = style;
  }

  get unanswered(): number {
    if (this.#lost) return 0;
    return [...this.#asked.values()].reduce((sum, list) => sum + list.length, this.#open.size);
  }

  /** Takes the reply or chunk at the beginning; returns its length, 0 when it is not whole or nothing can be said. */
  take(output: Buffer): number {
    if (output.length < 16 || this.#lost) return 0;
    const magic = output.readUInt32BE(0);
    const cookie = output.toString("hex", 8, 16);
    if (magic === 0x67446698) return this.#simple(output, cookie);
    expectThat(magic === 0x668e33ef && this.#style.structured, "a reply with another magic");
    const end = output.length < 20 ? Infinity : 20 + output.readUInt32BE(16);
    return output.length < end ? 0 : this.#chunk(output.subarray(0, end), cookie);
  }

  #simple(output: Buffer, cookie: string): number {
    const error = output.readUInt32BE(4);
    expectThat(ERRORS.has(error), `an error ${error}`);
    expectThat(!this.#open.has(cookie), "a simple reply behind chunks");
    const next = this.#next(cookie);
    if (next === undefined) return 0;
    const { command, offset, length } = next.request;
    const { structured } = this.#style;
    expectThat(!structured || command !== READ, "a simple reply to a READ of a client with structured replies");
    expectThat(command !== BLOCK_STATUS || error !== 0, "block status in a simple reply");
    if (error !== 0 || command !== READ) return 16;
    if (next.isPlain) auditData(output.subarray(16, 16 + length), offset);
    return 16 + length;
  }

  #chunk(bytes: Buffer, cookie: string): number {
    const flags = bytes.readUInt16BE(4);
    expectThat(flags <= 1, `chunk flags ${flags}`);
    const { answer, isPlain } = this.#open.get(cookie) ?? this.#begin(cookie) ?? {};
    if (answer === undefined || isPlain === undefined) return 0;
    const problem = answer.take(bytes.readUInt16BE(6), flags === 1, bytes.subarray(20));
    // Under a cookie that was used twice the place may be that of the other request.
    expectThat(problem === undefined || !isPlain, `a chunk that breaks the protocol: ${problem}`);
    if (flags === 0) return bytes.length;
    this.#open.delete(cookie);
    if (isPlain) this.#judge(answer);
    return bytes.length;
  }

  #begin(cookie: string) {
    const next = this.#next(cookie);
    if (next === undefined) return undefined;
    const answer = new ChunkedAnswer(next.request, { contexts: this.#style.contexts, sizeBytes: DISK_BYTES });
    const begun = { answer, isPlain: next.isPlain };
    this.#open.set(cookie, begun);
    return begun;
  }

  /** The request that is answered under this cookie, and whether there is no doubt about its place. */
  #next(cookie: string): { readonly request: Asked; readonly isPlain: boolean } | undefined {
    const list = this.#asked.get(cookie) ?? [];
    expectThat(list.length > 0, "a reply to nothing");
    // Requests with one cookie in flight together: nobody knows which one was answered when they differ.
    const [first] = list;
    const alike = list.every((one) => one.command === first?.command && one.length === first.length);
    if (!alike) {
      this.#lost = true;
      return undefined;
    }
    if (!list.every((one) => one.offset === first?.offset && one.flags === first.flags)) this.#doubtful.add(cookie);
    return { request: list.shift() as Asked, isPlain: !this.#doubtful.has(cookie) };
  }

  #judge(answer: ChunkedAnswer): void {
    const { command, flags, offset, length } = answer.asked;
    const problem = answer.end();
    expectThat(problem === undefined, `an answer that breaks the protocol: ${problem}`);
    if (answer.error !== 0) {
      expectThat(ERRORS.has(answer.error), `an error ${answer.error}`);
      expectThat(["", REFUSAL].includes(answer.text), `an error text: ${JSON.stringify(answer.text)}`);
      const place = answer.errorOffset ?? BigInt(offset);
      expectThat(place >= BigInt(offset) && place <= BigInt(offset) + BigInt(length), `an error at ${place}`);
      return;
    }
    expectThat(command === READ || command === BLOCK_STATUS, `chunks in answer to command ${command}`);
    expectThat((flags & DF) === 0 || answer.contentChunks <= 1, "fragments in spite of DF");
    for (const part of answer.parts) auditData(part.bytes, part.offset);
    for (const [context, extents] of answer.statuses) {
      expectThat(saysSo(context, offset, extents), `another status of ${context} at ${offset}`);
      const bytes = extents.reduce((sum, [one]) => sum + one, 0);
      const last = extents.at(-1)?.[0] ?? 0;
      expectThat(bytes - last < length, "an extent behind the end of the request");
      expectThat((flags & REQ_ONE) === 0 || (extents.length === 1 && bytes <= length), "more than REQ_ONE wants");
    }
  }
}

function auditData(data: Buffer, offset: number): void {
  const guarded = data.subarray(0, Math.max(0, GUARDED_BYTES - offset));
  const right = pattern(offset, guarded.length);
  if (guarded.equals(right)) return;
  const whole = offset + guarded.length > GUARDED_BYTES / 2;
  // The second half is zeros until honest clients write it.
  expectThat(whole && guarded.every((byte, index) => byte === right[index] || byte === 0), `wrong bytes at ${offset}`);
}
