import { COMMAND } from "../../src/protocol/constants.ts";
import type { Choices } from "./choices.ts";
import { OPERATION_KINDS } from "./operation-kinds.ts";
import type { SentRequest, World } from "./world.ts";

/** How much may happen in a history. */
export interface Bounds {
  /** What the client asks for, in this order: places in OPERATION_KINDS. */
  readonly workload: readonly number[];
  /** Lost connections and failed FLUSHes, at most. */
  readonly faults: number;
  /** Times at which a timer runs before everything has settled, at most. */
  readonly waits: number;
}

/** One thing that may happen next. */
export type Move =
  | { readonly name: "submit"; readonly which: number }
  | { readonly name: "answer" | "fail"; readonly request: SentRequest }
  | { readonly name: "lose" | "connect" | "wait" | "finish" };

const FLUSH_KIND = OPERATION_KINDS.findIndex(({ kind }) => kind === "flush");
const LOSE: Move = { name: "lose" };
const CONNECT: Move = { name: "connect" };
const WAIT: Move = { name: "wait" };
const FINISH: Move = { name: "finish" };

/**
 * A history on its way: what may happen next, and what happened last. At every step anything may come next that the proxy can
 * notice: the client's next operation, the answer to any request that is under way, the proxy's own among them, over
 * this connection or late over the lost one; a failed FLUSH; the loss of the connection; the next one; a timer. When
 * nothing is under way any more, the history may end. Whatever the server does unseen is not chosen here: see
 * BlockKnowledge.
 */
export class History {
  readonly #world: World;
  readonly #bounds: Bounds;
  readonly #pruned: boolean;
  #faults = 0;
  #waits = 0;
  #last: Move | undefined;
  #lastSent = false;

  /** `pruned`: leaves out what others show as well. */
  constructor(world: World, bounds: Bounds, pruned: boolean) {
    this.#world = world;
    this.#bounds = bounds;
    this.#pruned = pruned;
  }

  /** Runs to the end, as chosen. Returns false when it was given up, because another one shows as much. `told` hears of each move. */
  run(choices: Choices, told?: (move: Move) => void): boolean {
    for (;;) {
      const moves = this.#moves();
      const move = moves[choices.choose(moves.length)] ?? FINISH;
      told?.(move);
      if (!this.#make(move) && this.#pruned) return false;
      if (move.name === "finish") return true;
      if (this.#world.wrong !== undefined) return true;
    }
  }

  #moves(): readonly Move[] {
    const { connected, operations, sent, waits } = this.#world;
    const next = this.#bounds.workload[operations.length];
    const mayFail = this.#faults < this.#bounds.faults;
    const last = this.#last;
    if (!connected) return this.#movesAway(next);
    const moves: Move[] = [];
    for (const request of sent) {
      if (!this.#world.answerable(request)) continue;
      moves.push({ name: "answer", request });
      if (mayFail && request.entry.command === COMMAND.FLUSH) moves.push({ name: "fail", request });
    }
    const isSettled = moves.length === 0;
    if (next !== undefined) moves.push({ name: "submit", which: next });
    // What was not sent may as well be asked for when the connection is lost, or there again.
    const heldBefore = this.#pruned && last?.name === "submit" && !this.#lastSent;
    if (mayFail && operations.length > 0 && !heldBefore) moves.push(LOSE);
    if (waits && this.#waits < this.#bounds.waits) moves.push(WAIT);
    if (isSettled && next === undefined) moves.push(FINISH);
    return moves;
  }

  /**
   * Nothing is sent while there is no connection. What is asked for now, and in what order with the late answers, makes no
   * difference, or a weaker claim, but for a FLUSH: it goes before the proxy's own.
   */
  #movesAway(next: number | undefined): readonly Move[] {
    const moves: Move[] = [CONNECT];
    if (next !== undefined && (!this.#pruned || next === FLUSH_KIND)) moves.push({ name: "submit", which: next });
    if (this.#pruned && this.#last?.name === "submit") return moves;
    for (const request of this.#world.sent) {
      if (this.#world.answerable(request)) moves.push({ name: "answer", request });
    }
    return moves;
  }

  /** Returns false when the same, or more, is seen with the last two moves the other way round. */
  #make(move: Move): boolean {
    const world = this.#world;
    const before = world.sends;
    switch (move.name) {
      case "submit":
        world.submit(move.which);
        break;
      case "answer":
        world.answer(move.request, false);
        break;
      case "fail":
        this.#faults += 1;
        world.answer(move.request, true);
        break;
      case "lose":
        this.#faults += 1;
        world.lose();
        break;
      case "connect":
        world.reconnect();
        break;
      case "wait":
        this.#waits += 1;
        world.wait();
        break;
      case "finish":
        world.finish();
    }
    const last = this.#last;
    const sent = world.sends > before;
    const isQuiet = !sent && !this.#lastSent;
    this.#last = move;
    this.#lastSent = sent;
    if (!isQuiet || last === undefined || !isAnswer(move)) return true;
    // Answered first, it would have come to its end before the other was asked for, which is the stronger claim.
    // An error of the proxy's own FLUSH is another matter: it would be told to who asks after it.
    if (last.name === "submit") return move.name === "fail";
    return !isAnswer(last) || rank(last.request) < rank(move.request) || overlap(last.request, move.request);
  }
}

function isAnswer(move: Move): move is Move & { readonly request: SentRequest } {
  return move.name === "answer" || move.name === "fail";
}

/** Whether the log depends on which of two is answered first. With the overlap gate there are no such two. */
function overlap({ writes }: SentRequest, { writes: others }: SentRequest): boolean {
  return writes.some(({ block }) => others.some((other) => other.block === block));
}

/** Of two answers that lead to nothing, that to a FLUSH comes second: it may cover what is answered before it. */
function rank({ entry, number }: SentRequest): number {
  return entry.command === COMMAND.FLUSH ? number + 1000 : number;
}
