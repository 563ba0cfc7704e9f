import { DIRTY_BITMAP, MODEL_CONTEXTS } from "./model-contexts.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ClientScript } from "./simulated-client.ts";
import * as structured from "./structured-wire.ts";
import * as wire from "./wire.ts";

/** What a client and the proxy agreed on. */
export interface ClientAgreement {
  readonly structured: boolean;
  /** The selected metadata contexts by their ids. */
  readonly contexts: ReadonlyMap<number, string>;
}

/** What a client may expect of the export. */
export interface ExpectedExport {
  readonly sizeBytes: number;
  /** The metadata contexts that the proxy has to offer; undefined: as many of the server's as it likes. */
  readonly contexts: readonly string[] | undefined;
}

/** One option that a client asks, and how it takes the answers. */
interface Question {
  readonly number: number;
  readonly data: Buffer;
  /** An answer before the last one. */
  answer?(type: number, data: Buffer): void;
  /** The last one: ACK or an error. */
  end?(): void;
}

const NO_BYTES = Buffer.alloc(0);

/** The client's side of one handshake with the proxy. All options leave at once. */
export class ClientHandshake {
  readonly #script: ClientScript;
  readonly #expected: ExpectedExport;
  readonly #random: SeededRandom;
  readonly #send: (chunks: readonly Buffer[]) => void;
  readonly #report: (violation: string) => void;
  #structured = false;
  #contexts = new Map<number, string>();

  constructor(
    script: ClientScript,
    expected: ExpectedExport,
    random: SeededRandom,
    talks: { readonly send: (chunks: readonly Buffer[]) => void; readonly report: (violation: string) => void },
  ) {
    this.#script = script;
    this.#expected = expected;
    this.#random = random;
    this.#send = talks.send;
    this.#report = talks.report;
  }

  /** The proxy may refuse the export: a context that it had to offer when it was asked may be gone since. */
  get mayBeRefused(): boolean {
    return this.#expected.contexts === undefined && this.#contexts.size > 0;
  }

  /** Undefined when the proxy refuses, as far as it may. */
  *run(): Generator<number, ClientAgreement | undefined, Buffer> {
    const { eager, handshake } = this.#script;
    const noZeroes = this.#random.chance(0.8);
    const questions = this.#questions();
    const opening = [wire.u32(noZeroes ? 3 : 1), ...questions.map(({ number, data }) => wire.option(number, data))];
    if (handshake === "export-name") opening.push(wire.option(wire.EXPORT_NAME, NO_BYTES));
    if (eager) this.#send(opening);
    const greeting = yield 18;
    if (!greeting.equals(wire.greeting(true))) this.#report("the proxy's greeting is wrong");
    if (!eager) this.#send(opening);
    for (const question of questions) if (!(yield* this.#hear(question))) return undefined;
    if (handshake === "export-name") this.#learn(yield 10);
    if (handshake === "export-name" && !noZeroes) yield 124;
    return { structured: this.#structured, contexts: this.#contexts };
  }

  #questions(): readonly Question[] {
    const { handshake, tongue } = this.#script;
    const questions: Question[] = [];
    if (tongue.structured) {
      const end = (): boolean => (this.#structured = true);
      questions.push({ number: structured.STRUCTURED_REPLY, data: NO_BYTES, end });
      if (tongue.lists) questions.push(this.#list());
      if (tongue.contexts.length > 0) {
        // The last word counts.
        if (this.#random.chance(0.1)) questions.push(this.#select(this.#random.pick([[], MODEL_CONTEXTS])));
        questions.push(this.#select(tongue.contexts));
      }
    }
    const answer = (type: number, data: Buffer): void => this.#takeInformation(type, data);
    const info = handshake === "info-then-go" ? [{ number: wire.INFO, data: wire.exportQuery("", [3]), answer }] : [];
    const go = { number: wire.GO, data: wire.exportQuery("", this.#random.chance(0.5) ? [3] : []), answer };
    return handshake === "export-name" ? questions : [...questions, ...info, go];
  }

  #list(): Question {
    const names: string[] = [];
    return {
      number: structured.LIST_META_CONTEXT,
      data: structured.contextQuery("", []),
      answer: (type, data) => this.#takeContext(type, data, (_id, name) => names.push(name)),
      end: () => this.#checkContexts(names, MODEL_CONTEXTS),
    };
  }

  #select(wanted: readonly string[]): Question {
    const selected = new Map<number, string>();
    return {
      number: structured.SET_META_CONTEXT,
      data: structured.contextQuery("", wanted),
      answer: (type, data) =>
        this.#takeContext(type, data, (id, name) => {
          if (selected.has(id)) this.#report("the proxy gave an id to two contexts");
          selected.set(id, name);
        }),
      end: () => {
        this.#checkContexts([...selected.values()], wanted);
        this.#contexts = selected;
      },
    };
  }

  #takeContext(type: number, data: Buffer, take: (id: number, name: string) => void): void {
    if (type !== structured.REP_META_CONTEXT) this.#report(`the proxy answered a query about contexts with ${type}`);
    else take(data.readUInt32BE(0), data.toString("utf8", 4));
  }

  #checkContexts(names: readonly string[], wanted: readonly string[]): void {
    const strange = names.some((name, place) => !wanted.includes(name) || names.indexOf(name) !== place);
    if (strange) this.#report(`the proxy offers the contexts ${names.join(" ")}`);
    const missing = (this.#expected.contexts ?? []).filter((name) => wanted.includes(name) && !names.includes(name));
    if (missing.length > 0) this.#report(`the proxy does not offer the contexts ${missing.join(" ")}`);
    const unknown = names.includes(DIRTY_BITMAP) && this.#expected.contexts?.includes(DIRTY_BITMAP) === false;
    if (unknown) this.#report("the proxy offers a context that the server does not have");
  }

  #takeInformation(type: number, data: Buffer): void {
    if (type !== wire.REP_INFO) this.#report(`the proxy answered a query about the export with ${type}`);
    else if (data.readUInt16BE(0) === 0) this.#learn(data.subarray(2));
  }

  /** Hears the answers to one option; false when the proxy refuses the export. */
  *#hear(question: Question): Generator<number, boolean, Buffer> {
    for (;;) {
      const header = yield 20;
      const type = header.readUInt32BE(12);
      const length = header.readUInt32BE(16);
      const answersUs = wire.isOptionReply(header) && header.readUInt32BE(8) === question.number;
      if (!answersUs) this.#report("the proxy's option reply answers nothing that was asked");
      const data = length === 0 ? NO_BYTES : yield length;
      const isError = type >= 0x8000_0000;
      if (isError && question.number === wire.GO && this.mayBeRefused) return false;
      if (isError) this.#report(`the proxy answered option ${question.number} with ${type}`);
      if (type !== wire.ACK && !isError) {
        question.answer?.(type, data);
        continue;
      }
      question.end?.();
      return true;
    }
  }

  #learn(fields: Buffer): void {
    const sizeBytes = Number(fields.readBigUInt64BE(0));
    if (sizeBytes !== this.#expected.sizeBytes) this.#report(`the proxy offers ${sizeBytes} bytes`);
    const offersDf = (fields.readUInt16BE(8) & structured.OFFERS_DF) !== 0;
    if (offersDf !== this.#structured) this.#report(`the proxy ${offersDf ? "offers DF" : "does not offer DF"}`);
  }
}
