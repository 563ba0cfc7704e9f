import { BROKEN } from "../simulation/block-content.ts";
import { blockHistory } from "../simulation/block-history.ts";
import { brokenWord } from "../simulation/kept-word.ts";
import { notLinearizable } from "../simulation/linearizability.ts";
import type { Operation } from "../simulation/operation-history.ts";
import { BLOCK_EVENT, eventParts, RESULT } from "./block-event.ts";
import { type BlockServer, possibleValues } from "./block-server.ts";
import { OPERATION_KINDS } from "./operation-kinds.ts";
import { operationValue } from "./operation-value.ts";

/** What clients asked for and were told of one block, in order: events of the kinds `begun` and `ended`. */
export type Story = readonly number[];

/** Why the READs of a story are not those of one register, if that is what the server showed; undefined when they are. */
export function wrongReads(story: Story, block: number, { shown }: BlockServer): string | undefined {
  const all = operations(story, block, shown);
  return notLinearizable(blockHistory(all, block, { mayFail: () => false, tears: false }));
}

/** Why a loss of power now might break a promise; undefined when it can't. */
export function wrongStorage(story: Story, block: number, server: BlockServer): string | undefined {
  const all = operations(story, block, server.shown);
  const flushedBefore = all.reduce((latest, { kind, end, error, start }) => {
    return kind === "flush" && error === 0 && end !== Infinity ? Math.max(latest, start) : latest;
  }, 0);
  for (const value of possibleValues(server)) {
    const broken = brokenWord(all, { block, value: content(value), flushedBefore, tears: false });
    if (broken !== undefined) return broken;
  }
  return undefined;
}

/** The story after an event. Which of several neighbouring answers came first makes no difference, nor which of several questions. */
export function storyAfter(story: Story, event: number): Story {
  const { kind } = eventParts(event);
  if (kind !== BLOCK_EVENT.begun && kind !== BLOCK_EVENT.ended) return story;
  let place = story.length;
  while (place > 0) {
    const before = story[place - 1] ?? 0;
    if (eventParts(before).kind !== kind || before < event) break;
    place -= 1;
  }
  return story.toSpliced(place, 0, event);
}

function operations(story: Story, block: number, shown: readonly number[]): readonly Operation[] {
  const all: Operation[] = [];
  for (const [place, event] of story.entries()) {
    const { kind, number, value } = eventParts(event);
    if (kind === BLOCK_EVENT.begun) {
      all.push(begun(number, value, block, place + 1));
      continue;
    }
    const operation = all.find((one) => one.number === number);
    if (operation === undefined) continue;
    operation.end = place + 1;
    operation.error = value === RESULT.failed ? 1 : 0;
    if (value === RESULT.shown) operation.results.push(content(shown[number] ?? RESULT.foreign));
    else if (value <= RESULT.foreign) operation.results.push(content(value));
  }
  return all;
}

function begun(number: number, which: number, block: number, start: number): Operation {
  const { kind = "read", flags = 0 } = OPERATION_KINDS[which] ?? {};
  return {
    number,
    client: "client",
    kind,
    block,
    blocks: 1,
    value: operationValue(number, kind),
    fua: flags !== 0,
    start,
    startMs: 0,
    end: Infinity,
    endMs: Infinity,
    error: 0,
    results: [],
    promised: false,
  };
}

/** What the simulation calls bytes that nobody wrote. */
function content(value: number): number {
  return value === RESULT.foreign ? BROKEN : value;
}
