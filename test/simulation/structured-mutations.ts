import { ReplyAssembly } from "../../src/upstream/reply-assembly.ts";
import { UnflushedLog } from "../../src/upstream/unflushed-log.ts";
import { mapped, talkative } from "./hard-worlds.ts";
import type { Mutation } from "./mutations.ts";
import { replaceMethod } from "./replace-method.ts";
import type { Scenario } from "./scenario.ts";
import { BLOCK_STATUS } from "./structured-wire.ts";

/** The disks of the simulation are no larger. */
const DISK_BYTES = 8 * 512;

/** The server often leaves a part of a READ out. */
function gappy(scenario: Scenario): Scenario {
  const { character, ...world } = talkative(scenario);
  return { ...world, character: { ...character, errorChance: 0, gapChance: 0.02 } };
}

/** Takes what is missing of a READ for zeros. */
function fillGaps(assembly: ReplyAssembly): void {
  for (let at = 0; at < DISK_BYTES; at += 1) {
    try {
      assembly.holeChunk(at, 1);
    } catch {
      // It was there, or was not asked for.
    }
  }
}

/** The controls of the rules about structured replies and block status: each leaves out one of them. */
export const STRUCTURED_MUTATIONS: Readonly<Record<string, Mutation>> = {
  "pin-without-status": {
    breaks: "R9: block status of pinned ranges shows what the server has",
    options: { adjust: mapped },
    apply: () =>
      replaceMethod(UnflushedLog.prototype, "seen", (original) => {
        return function seen(this: UnflushedLog, entry, reply) {
          return entry.command === BLOCK_STATUS ? reply : original.call(this, entry, reply);
        };
      }),
  },
  "gap-accepted": {
    breaks: "a READ whose chunks do not cover its range is answered all the same",
    options: { adjust: gappy },
    apply: () =>
      replaceMethod(ReplyAssembly.prototype, "finish", (original) => {
        return function finish(this: ReplyAssembly, room) {
          try {
            return original.call(this, room);
          } catch (error) {
            if (!(error as Error).message.startsWith("a reply with")) throw error;
            fillGaps(this);
            return original.call(this, room);
          }
        };
      }),
  },
  "error-after-data": {
    breaks: "the data of a READ is passed on although an error came with it",
    options: { adjust: talkative },
    apply: () =>
      replaceMethod(ReplyAssembly.prototype, "errorChunk", () => {
        return function errorChunk() {
          // Nobody hears of it.
        };
      }),
  },
};
