import { type OnReadOpts, Socket } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";

import { AdaptivePolling } from "../../../src/transport/adaptive-polling.ts";
import { NodeStream } from "../../../src/transport/node-stream.ts";
import { Turn } from "../../../src/transport/turn.ts";

describe("NodeStream", () => {
  const [one, other] = [{}, {}];
  let turn: Turn;
  let stream: NodeStream;
  let done: string[];

  /** Something is received from `source`, and makes something leave. */
  function receive(source: object, name: string): void {
    turn.begin(source);
    stream.putOff(() => done.push(name));
    turn.end();
  }

  /** All that the event loop has found is received. */
  function lookAgain(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  beforeEach(async () => {
    turn = new Turn();
    const polling = new AdaptivePolling({ nowMs: () => 0, again: () => undefined, giveWay: undefined });
    const makeSocket = (onread: OnReadOpts): Socket => {
      // `onread` is known to node:net, though not to its types.
      const options = { onread, allowHalfOpen: true };
      return new Socket(options);
    };
    stream = new NodeStream(makeSocket, "test", undefined, { polling, turn, directReads: undefined });
    done = [];
    receive(one, "first");
    await lookAgain();
    done = [];
  });

  it("does what it puts off at the end of the turn, as long as one alone feeds it", () => {
    receive(one, "second");
    receive(one, "third");
    expect(done).toEqual(["second", "third"]);
  });

  it("waits for the others when another one feeds it than before", async () => {
    receive(other, "second");
    expect(done).toEqual([]);
    await lookAgain();
    expect(done).toEqual(["second"]);
  });

  it("does what is put off outside of turns as soon as the running code is done", async () => {
    stream.putOff(() => done.push("second"));
    expect(done).toEqual([]);
    await Promise.resolve();
    expect(done).toEqual(["second"]);
    receive(one, "third");
    expect(done).toEqual(["second", "third"]);
  });
});
