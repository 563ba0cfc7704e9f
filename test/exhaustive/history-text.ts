import { SlabPool } from "../../src/transport/slab-pool.ts";
import { COMMAND } from "../../src/protocol/constants.ts";
import { BLOCK_EVENT, eventParts, RESULT } from "./block-event.ts";
import { KnowledgeBase } from "./block-knowledge.ts";
import { type Story, storyAfter, wrongReads, wrongStorage } from "./block-verdict.ts";
import { Choices } from "./choices.ts";
import { History, type Move } from "./history.ts";
import { BLOCKS, OPERATION_KINDS } from "./operation-kinds.ts";
import { POOL, type SearchOptions } from "./search.ts";
import { afterEvent, type Reached, withAllSteps } from "./server-paths.ts";
import { UNTOUCHED } from "./server-table.ts";
import { type Slots, slotsAfter } from "./slots.ts";
import { type SentRequest, World } from "./world.ts";

const COMMAND_NAMES = Object.fromEntries(Object.entries(COMMAND).map(([name, command]) => [command, name]));

/** A line of a trace; of an event, its block, and its place among those of the block. */
interface Line {
  readonly text: string;
  readonly block?: number;
  readonly place?: number;
}

/** One history as text: what happened, step by step; and where it goes wrong, what the server did unseen that makes it so. */
export function historyText(
  workload: readonly number[],
  taken: readonly number[],
  { faults, waits, flow = {}, pruned = true }: SearchOptions,
): string {
  const lines: Line[] = [];
  const events: readonly number[][] = Array.from({ length: BLOCKS }, () => []);
  const noted = (block: number, event: number): void => {
    const place = events[block]?.push(event) ?? 0;
    lines.push({ text: `      block ${block}: ${eventWords(event)}`, block, place: place - 1 });
  };
  const bases = events.map((_, block) => new KnowledgeBase(block));
  const world = new World({ bases, pool: new SlabPool(POOL), flow, noted });
  const choices = new Choices();
  choices.follow(taken);
  let move = 0;
  try {
    new History(world, { workload, faults, waits }, pruned).run(choices, (made) => {
      move += 1;
      lines.push({ text: `${String(move).padStart(3)}. ${moveWords(made, world)}` });
    });
  } catch (error) {
    world.failed(error);
  }
  const { wrong } = world;
  const { wrongBlock } = world.observer;
  const hidden = wrongBlock === undefined ? [] : unseen(events[wrongBlock] ?? [], wrongBlock);
  const told = lines.flatMap(({ block, place, text }) => {
    const mine = block === wrongBlock ? hidden.filter((one) => one.place === place) : [];
    return [...mine.map(({ what }) => `      block ${block}:   (unseen) the server ${what}`), text];
  });
  return [...told, wrong === undefined ? "nothing is wrong" : `WRONG: ${wrong}`].join("\n");
}

/** What a server did that makes the story of a block wrong. */
function unseen(
  events: readonly number[],
  block: number,
): readonly { readonly what: string; readonly place: number }[] {
  let reached: readonly Reached[] = [{ server: UNTOUCHED, trail: undefined }];
  let slots: Slots = [];
  let story: Story = [];
  for (const [place, event] of events.entries()) {
    reached = afterEvent(withAllSteps(reached, slots, place), event, place);
    slots = slotsAfter(slots, event);
    story = storyAfter(story, event);
  }
  const guilty =
    reached.find(({ server }) => !server.late && wrongStorage(story, block, server) !== undefined) ??
    reached.find(({ server }) => wrongReads(story, block, server) !== undefined) ??
    reached.find(({ server }) => wrongStorage(story, block, server) !== undefined);
  const done: { readonly what: string; readonly place: number }[] = [];
  for (let trail = guilty?.trail; trail !== undefined; trail = trail.before) done.unshift(trail);
  return done;
}

function moveWords(move: Move, { operations }: World): string {
  switch (move.name) {
    case "submit":
      return `the client asks: #${operations.length} ${OPERATION_KINDS[move.which]?.name}`;
    case "answer":
      return `answered: ${requestWords(move.request)}`;
    case "fail":
      return `answered with an error: ${requestWords(move.request)}`;
    case "lose":
      return "the connection is lost";
    case "connect":
      return "there is a new connection";
    case "wait":
      return "time passes, until a timer runs";
    case "finish":
      return "everything comes to its end, and the disk is read";
  }
}

function requestWords({ entry, number }: SentRequest): string {
  const { command, kind, length, offset } = entry;
  const range = length === 0 ? "" : ` ${offset}${length > 1 ? `-${offset + length - 1}` : ""}`;
  return `${COMMAND_NAMES[command] ?? command}${range}, sent as number ${number}${kind === "user" ? "" : " by the proxy itself"}`;
}

function eventWords(event: number): string {
  const { kind, number, value, flag } = eventParts(event);
  switch (kind) {
    case BLOCK_EVENT.begun:
      return `#${number} begins`;
    case BLOCK_EVENT.ended:
      return `#${number} ends: ${resultWords(value)}`;
    case BLOCK_EVENT.readSent:
      return `#${number} is sent`;
    case BLOCK_EVENT.writeSent:
      return `a write of ${value}${flag === 1 ? " with FUA" : ""} is sent`;
    case BLOCK_EVENT.writeAnswered:
      return `a write of ${value} is answered`;
    case BLOCK_EVENT.flushSent:
      return "a FLUSH is sent";
    case BLOCK_EVENT.flushAnswered:
      return `a FLUSH is answered${flag === 1 ? ": failed" : ""}`;
    case BLOCK_EVENT.connected:
      return "another connection";
    default:
      return `the write of ${value} can't be carried out any more`;
  }
}

function resultWords(value: number): string {
  if (value === RESULT.shown) return "what the server shows";
  if (value === RESULT.done) return "done";
  if (value === RESULT.failed) return "an error";
  return value === RESULT.foreign ? "bytes that nobody wrote" : String(value);
}
