import { SeededRandom } from "../simulation/seeded-random.ts";
import { maliciousClientTarget } from "./connection/malicious-client-target.ts";
import { maliciousServerTarget } from "./connection/malicious-server-target.ts";
import { chunkDecoderTarget } from "./parser/chunk-decoder-target.ts";
import { chunkErrorTarget } from "./parser/chunk-error-target.ts";
import { clientHandshakeTarget } from "./parser/client-handshake-target.ts";
import { nbdUriTarget } from "./parser/nbd-uri-target.ts";
import { informationCodecTarget, optionCodecTarget } from "./parser/option-codec-targets.ts";
import { replyDecoderTarget } from "./parser/reply-decoder-target.ts";
import { requestDecoderTarget } from "./parser/request-decoder-target.ts";
import { serverHandshakeTarget } from "./parser/server-handshake-target.ts";
import { AllocationWatch } from "./support/allocation-watch.ts";
import { expectThat, type FuzzTarget } from "./support/fuzz-target.ts";
import { uncaughtDuring } from "./support/uncaught-during.ts";

/** Everything that is fuzzed. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  serverHandshakeTarget,
  requestDecoderTarget,
  optionCodecTarget,
  clientHandshakeTarget,
  replyDecoderTarget,
  chunkDecoderTarget,
  chunkErrorTarget,
  informationCodecTarget,
  nbdUriTarget,
  maliciousClientTarget,
  maliciousServerTarget,
];

/** How large an input is: the most messages and mutations. */
export const INPUT_SIZE = 8;

/**
 * No input may take more than this for one buffer: nothing of ours is larger than a slab. Beside connections the fuzzer puts
 * together all that was said; what hostile peers claim is larger still.
 */
const LARGEST_BUFFER_BYTES = { parser: 1024 * 1024, connection: 16 * 1024 * 1024 } as const;

/** How long a smaller input is looked for. */
const TRIES_PER_SIZE = { parser: 3000, connection: 500 } as const;

/** One input that was not taken as it should be. */
export interface FuzzFailure {
  readonly target: FuzzTarget;
  readonly seed: number;
  readonly size: number;
  readonly error: Error;
}

/** What a run over one target came to. */
export interface FuzzReport {
  readonly target: FuzzTarget;
  readonly inputs: number;
  readonly elapsedMs: number;
  readonly failure: FuzzFailure | undefined;
}

/** A run over one target. */
export interface FuzzRun {
  readonly firstSeed: number;
  readonly inputs: number;
  readonly size: number;
  /** Ends earlier than after `inputs`. */
  readonly deadlineMs?: number;
  /** Called before every input, for someone who watches from outside. */
  readonly begins?: ((seed: number) => void) | undefined;
}

const watch = new AllocationWatch();

/** Runs one input; returns what is wrong with what became of it. */
async function runInput(target: FuzzTarget, seed: number, size: number): Promise<Error | undefined> {
  watch.reset();
  try {
    const running = target.run(new SeededRandom(seed), size);
    if (running !== undefined) await uncaughtDuring(running);
    const limitBytes = LARGEST_BUFFER_BYTES[target.level];
    expectThat(watch.largestBytes <= limitBytes, `a buffer of ${watch.largestBytes} bytes was made`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Runs inputs until one is not taken as it should be. Their seeds follow on each other. */
export async function runTarget(target: FuzzTarget, run: FuzzRun): Promise<FuzzReport> {
  watch.start();
  try {
    return await runWatched(target, run);
  } finally {
    watch.stop();
  }
}

async function runWatched(target: FuzzTarget, run: FuzzRun): Promise<FuzzReport> {
  const beganMs = performance.now();
  let inputs = 0;
  for (; inputs < run.inputs; inputs += 1) {
    if (run.deadlineMs !== undefined && inputs % 16 === 0 && performance.now() - beganMs > run.deadlineMs) break;
    const seed = (run.firstSeed + inputs) >>> 0;
    run.begins?.(seed);
    const error = await runInput(target, seed, run.size);
    if (error !== undefined) {
      const failure = { target, seed, size: run.size, error };
      return { target, inputs: inputs + 1, elapsedMs: performance.now() - beganMs, failure };
    }
  }
  return { target, inputs, elapsedMs: performance.now() - beganMs, failure: undefined };
}

/** Looks for a smaller input that fails in the same way: smaller sizes, and seeds near by. */
export async function shrink(failure: FuzzFailure, begins?: (seed: number) => void): Promise<FuzzFailure> {
  const { target, error } = failure;
  const triesPerSize = TRIES_PER_SIZE[target.level];
  for (let size = 1; size < failure.size; size += 1) {
    for (let tries = 0; tries < triesPerSize; tries += 1) {
      const firstSeed = (failure.seed + tries) >>> 0;
      const { failure: again } = await runTarget(target, { firstSeed, inputs: 1, size, begins });
      if (again !== undefined && likeness(again.error) === likeness(error)) return again;
    }
  }
  return failure;
}

/** What two failures of one cause have in common: their words without the numbers. */
export function likeness({ name, message }: Error): string {
  return `${name} ${message.replaceAll(/[0-9]+/g, "#").slice(0, 60)}`;
}
