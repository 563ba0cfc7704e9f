import { AssertionError } from "node:assert";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ByteStream } from "../ports/network.ts";
import type { Dialogue, Effect } from "../protocol/dialogue.ts";
import type { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { ConnectionLost } from "./connection-lost.ts";
import { HandshakeTimeout } from "./handshake-timeout.ts";
import type { Slab } from "./slab.ts";
import type { SlabConsumer, SlabReader } from "./slab-reader.ts";

/** What a dialogue is run over, and how its end is told. */
export interface DialogueRun<Result> {
  readonly stream: ByteStream;
  /** The reader of that stream; the runner becomes its consumer. */
  readonly reader: SlabReader;
  readonly dialogue: Dialogue<Result>;
  readonly clock: Clock;
  /** The whole dialogue must be over by then. */
  readonly deadlineMs: number;
  /** Called once, while bytes are being consumed or later, never from the constructor. */
  readonly done: (result: Result) => void;
  /**
   * Called once, instead of `done`: ConnectionLost, ProtocolViolation, or what the dialogue threw. The stream is still open
   * unless it was lost, and what the dialogue wrote last has been handed to it.
   */
  readonly failed: (error: Error) => void;
}

/** Drives a handshake over a stream, as the first consumer of its SlabReader. */
export class DialogueRunner<Result> implements SlabConsumer {
  readonly #run: DialogueRun<Result>;
  readonly #timer: Timer;
  #effect: Effect | undefined;
  #waiting = false;
  #over = false;

  constructor(run: DialogueRun<Result>) {
    this.#run = run;
    this.#timer = run.clock.setTimer(run.deadlineMs, () =>
      this.#fail(new HandshakeTimeout(`no complete handshake within ${run.deadlineMs / 1000} s`)),
    );
  }

  /** Lets the dialogue say its first words and hear what has been received already. */
  begin(): void {
    this.#advance(undefined);
    if (!this.#over) this.#run.reader.handOver(this);
  }

  /** Ends it without telling anybody. */
  abort(): void {
    this.#over = true;
    this.#timer.cancel();
  }

  consume(slab: Slab, start: number, end: number): number {
    let at = start;
    while (!this.#over) {
      const effect = this.#effect;
      if (effect?.kind === "skip") {
        const skipped = Math.min(effect.lengthBytes, end - at);
        at += skipped;
        if (skipped < effect.lengthBytes) {
          this.#effect = { kind: "skip", lengthBytes: effect.lengthBytes - skipped };
          return at;
        }
        this.#advance(undefined);
      } else if (effect?.kind === "read" && end - at >= effect.lengthBytes) {
        const bytes = Buffer.from(slab.buffer.subarray(at, at + effect.lengthBytes));
        at += effect.lengthBytes;
        this.#advance(bytes);
      } else {
        return at;
      }
    }
    return at;
  }

  violated(violation: ProtocolViolation): void {
    this.#fail(violation);
  }

  drained(): void {
    // A handshake writes little; what has left does not matter to it.
  }

  ended(): void {
    this.#fail(new ConnectionLost("the connection ended during the handshake"));
  }

  closed(error: Error | undefined): void {
    this.#fail(new ConnectionLost("the connection was lost during the handshake", { cause: error }));
  }

  /** Resumes the dialogue with a result and performs its effects until it needs bytes or time. */
  #advance(result: unknown, thrown?: Error): void {
    const { dialogue, stream } = this.#run;
    try {
      let step = thrown === undefined ? dialogue.next(result) : dialogue.throw(thrown);
      while (!step.done) {
        const effect = step.value;
        if (effect.kind === "write") {
          stream.write([effect.bytes]);
          step = dialogue.next(undefined);
          continue;
        }
        if (effect.kind !== "wait" && effect.lengthBytes === 0) {
          step = dialogue.next(Buffer.alloc(0));
          continue;
        }
        this.#effect = effect;
        if (effect.kind === "wait") this.#wait(effect.promise);
        return;
      }
      this.#effect = undefined;
      this.abort();
      this.#run.done(step.value);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wait(promise: Promise<unknown>): void {
    // What the other side sends meanwhile must not pile up.
    this.#run.reader.stall();
    this.#waiting = true;
    promise.then(
      (value) => this.#resume(value),
      (error: unknown) => this.#resume(undefined, error instanceof Error ? error : new Error(String(error))),
    );
  }

  #resume(value: unknown, thrown?: Error): void {
    if (this.#over) return;
    this.#waiting = false;
    this.#advance(value, thrown);
    if (!this.#waiting) this.#run.reader.resume();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.abort();
    this.#run.failed(error);
  }
}
