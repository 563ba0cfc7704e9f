import type { Dialogue } from "../../../src/protocol/dialogue.ts";
import { expectThat } from "../support/fuzz-target.ts";

/** How a dialogue ended: with a result, with an error, or waiting for bytes that never came. */
export type Ending<Result> =
  | { readonly kind: "returned"; readonly result: Result }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "starved" };

/** What became of a dialogue. */
export interface Driven<Result> {
  readonly ending: Ending<Result>;
  readonly sent: Buffer;
}

/** What a dialogue may ask for at most. */
export interface DialogueBounds {
  readonly readBytes: number;
  readonly skipBytes: number;
}

/** What promises became that `settled` made, so that a dialogue can be driven within one call. */
const outcomes = new WeakMap<Promise<unknown>, { readonly value: unknown } | { readonly error: Error }>();

/** A promise for a `wait` of a dialogue under `driveDialogue`. */
export function settled<Value>(outcome: { readonly value: Value } | { readonly error: Error }): Promise<Value> {
  const promise = "error" in outcome ? Promise.reject<Value>(outcome.error) : Promise.resolve(outcome.value);
  promise.catch(() => undefined);
  outcomes.set(promise, outcome);
  return promise;
}

/** Drives a dialogue with these bytes; it must ask for sensible things, and not too often. */
export function driveDialogue<Result>(
  dialogue: Dialogue<Result>,
  bytes: Buffer,
  bounds: DialogueBounds,
): Driven<Result> {
  const sent: Buffer[] = [];
  const stepsLimit = 32 + bytes.length / 4;
  let at = 0;
  const drive = (): Ending<Result> => {
    let step = dialogue.next();
    for (let steps = 0; step.done !== true; steps += 1) {
      expectThat(steps < stepsLimit, `${steps} steps for ${bytes.length} bytes`);
      const effect = step.value;
      if (effect.kind === "write") {
        sent.push(Buffer.from(effect.bytes));
        step = dialogue.next();
      } else if (effect.kind === "wait") {
        const outcome = outcomes.get(effect.promise);
        expectThat(outcome !== undefined, "waited for an unknown promise");
        step = "error" in outcome ? dialogue.throw(outcome.error) : dialogue.next(outcome.value);
      } else {
        const limit = effect.kind === "read" ? bounds.readBytes : bounds.skipBytes;
        const { kind, lengthBytes } = effect;
        expectThat(lengthBytes > 0 && lengthBytes <= limit, `asked to ${kind} ${lengthBytes} bytes`);
        if (at + lengthBytes > bytes.length) return { kind: "starved" };
        const read = Buffer.from(bytes.subarray(at, at + lengthBytes));
        at += lengthBytes;
        step = dialogue.next(kind === "read" ? read : undefined);
      }
    }
    return { kind: "returned", result: step.value };
  };
  return { ending: driveToEnd(drive), sent: Buffer.concat(sent) };
}

function driveToEnd<Result>(drive: () => Ending<Result>): Ending<Result> {
  try {
    return drive();
  } catch (error) {
    if (error instanceof Error && error.name === "Finding") throw error;
    return { kind: "threw", error };
  }
}
