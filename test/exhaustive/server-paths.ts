import { BLOCK_EVENT, eventParts, RESULT } from "./block-event.ts";
import {
  answerFlush,
  answerRead,
  answerWrite,
  type BlockServer,
  expireWrite,
  nextSteps,
  reconnect,
  sendFlush,
  sendRead,
  sendWrite,
} from "./block-server.ts";
import type { Slots } from "./slots.ts";

/** What the server did on the way to where it stands, the last thing first; each thing just before the event of that place. */
export interface Trail {
  readonly what: string;
  readonly place: number;
  readonly before: Trail | undefined;
}

/** A server, and one way in which it may have come there. */
export interface Reached {
  readonly server: BlockServer;
  readonly trail: Trail | undefined;
}

/** Two servers of which nobody could ever tell the difference have the same one. */
export function serverKey({ stable, versions, waiting, flushes, reading, shown, late }: BlockServer): string {
  return `${stable};${versions.join()};${waiting};${flushes.join()};${reading.join()};${shown.join()};${late ? 1 : 0}`;
}

/** These servers, and all that they may become of their own accord before the event of that place. */
export function withAllSteps(from: readonly Reached[], slots: Slots, place = 0): readonly Reached[] {
  const found = new Map(from.map((reached) => [serverKey(reached.server), reached]));
  // New ones are added behind, and visited in their turn.
  for (const { server, trail } of found.values()) {
    for (const { server: next, what } of nextSteps(server, slots)) {
      const key = serverKey(next);
      if (!found.has(key)) found.set(key, { server: next, trail: { what, place, before: trail } });
    }
  }
  return [...found.values()];
}

/** What becomes of servers, which have done by then what they wanted, by the event of that place. */
export function afterEvent(from: readonly Reached[], event: number, place = 0): readonly Reached[] {
  const found = new Map<string, Reached>();
  const add = (server: BlockServer | undefined, trail: Trail | undefined): void => {
    if (server === undefined) return;
    const key = serverKey(server);
    if (!found.has(key)) found.set(key, { server, trail });
  };
  const { kind, number, value, flag } = eventParts(event);
  for (const { server, trail } of from) {
    switch (kind) {
      case BLOCK_EVENT.readSent:
        add(sendRead(server, number), trail);
        break;
      case BLOCK_EVENT.writeSent:
        add(sendWrite(server, number), trail);
        break;
      case BLOCK_EVENT.writeAnswered:
        add(answerWrite(server, number, value), trail);
        break;
      case BLOCK_EVENT.flushSent:
        add(sendFlush(server, number), trail);
        break;
      case BLOCK_EVENT.flushAnswered:
        add(answerFlush(server, number, flag === 1), trail);
        break;
      case BLOCK_EVENT.connected:
        for (const { server: next, what } of reconnect(server)) add(next, { what, place, before: trail });
        break;
      case BLOCK_EVENT.expired:
        add(expireWrite(server, number), trail);
        break;
      case BLOCK_EVENT.ended:
        for (const { server: next, what } of answerRead(server, number, value === RESULT.shown)) {
          add(next, what === "" ? trail : { what, place, before: trail });
        }
        break;
      default:
        add(server, trail);
    }
  }
  return [...found.values()];
}
