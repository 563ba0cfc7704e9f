import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// A request that kills the server whenever it is sent must not take all others with it. A server that merely crashes must
// not cost anybody an error.

const write = (offset: number, text: string) => request({ text, offset });
const errors = (asked: readonly ReturnType<typeof request>[]): number[][] =>
  asked.map(({ answers }) => answers.map(({ error }) => error));

/** The losses over a minute after which a request is suspected. */
const SUSPICIOUS = { losses: LIMITS.poisonLosses, everyMs: LIMITS.poisonMs / (LIMITS.poisonLosses - 1) };

/** A flow whose connection is lost so often, so far apart, with these requests in flight and nothing answered. */
function losing(
  asked: readonly ReturnType<typeof request>[],
  { losses, everyMs }: { losses: number; everyMs: number } = SUSPICIOUS,
) {
  const played = playFlow();
  const { flow, connect, clock } = played;
  let session = connect();
  for (const one of asked) flow.submit(one, undefined);
  for (let count = 1; count <= losses; count += 1) {
    flow.lost();
    if (count < losses) {
      clock.advance(everyMs);
      session = connect();
    }
  }
  return { ...played, session };
}

describe("RequestFlow with a request at which the server dies", () => {
  it("sends it alone after five losses in a minute, once the server has shown that it works", () => {
    const bad = write(0, "bad");
    const { flow, connect, reply } = losing([bad, write(20, "good")]);
    const session = connect();
    expect(session.hear()).toEqual(["read 0+512"]);
    reply(session, 0);
    expect(session.hear()).toEqual(["write 0 bad"]);
    expect(flow.open).toBe(false);
  });

  it("answers it with EIO when that kills the server twice more, and everything else goes on", () => {
    const asked = [write(0, "bad"), write(20, "good"), request({ offset: 40, length: 1 })];
    const { flow, connect, reply, serve, counters, log } = losing(asked);
    for (let turn = 0; turn < LIMITS.poisonAloneLosses; turn += 1) {
      expect(errors(asked)).toEqual([[], [], []]);
      const session = connect();
      reply(session, 0);
      expect(session.hear()).toEqual(["read 0+512", "write 0 bad"]);
      flow.lost();
    }
    expect(errors(asked)).toEqual([[NBD_ERROR.EIO], [], []]);
    const session = connect();
    expect(serve(session)).toEqual(["read 0+512", "write 20 good", "read 40+1", "flush"]);
    expect([errors(asked), flow.held, counters.poisonedRequests]).toEqual([[[NBD_ERROR.EIO], [0], [0]], 0, 1]);
    expect(log.of("error")).toEqual([
      "the server goes away whenever it is sent one request (command 1, 3 bytes at 0): answering it with EIO",
    ]);
  });

  it("finds out which one it is among several", () => {
    const asked = [write(0, "good"), write(20, "bad"), write(40, "good too")];
    const { flow, connect, reply, serve, counters } = losing(asked);
    for (let turn = 0; turn < LIMITS.poisonAloneLosses; turn += 1) {
      const session = connect();
      for (let index = 0; session.sent[index] !== undefined; index += 1) {
        if (session.sent[index]?.offset === 20) break;
        reply(session, index);
      }
      flow.lost();
    }
    expect([errors(asked), counters.poisonedRequests]).toEqual([[[0], [NBD_ERROR.EIO], []], 1]);
    serve(connect());
    expect(errors(asked)).toEqual([[0], [NBD_ERROR.EIO], [0]]);
  });

  it("has nothing against it when it is answered after all", () => {
    const asked = [write(0, "slow"), write(20, "good")];
    const { connect, serve, counters } = losing(asked);
    expect(serve(connect())).toEqual(["read 0+512", "write 0 slow", "write 20 good", "flush"]);
    expect([errors(asked), counters.poisonedRequests]).toEqual([[[0], [0]], 0]);
  });

  it("holds nothing against it while the server answers others between its crashes", () => {
    const { flow, connect, reply, clock, counters } = playFlow();
    const unlucky = write(0, "unlucky");
    flow.submit(unlucky, undefined);
    for (let index = 1; index <= 20; index += 1) flow.submit(write(index * 100, "other"), undefined);
    connect();
    flow.lost();
    for (let turn = 0; turn < 20; turn += 1) {
      clock.advance(LIMITS.poisonMs);
      const session = connect();
      // What was answered before is written again first.
      for (let index = 0; index < turn; index += 1) reply(session, index);
      expect(session.hear().slice(0, turn + 1)).not.toContain("read 0+512");
      reply(
        session,
        session.sent.findIndex(({ kind, offset }) => kind === "user" && offset > 0),
      );
      flow.lost();
    }
    expect([unlucky.answers, flow.held, counters.poisonedRequests]).toEqual([[], 1, 0]);
  });

  it.each([
    ["too few", { losses: LIMITS.poisonLosses - 1, everyMs: LIMITS.poisonMs }],
    ["too close", { losses: 20, everyMs: 1000 }],
  ])("holds nothing against it when the losses are %s to tell", (_name, pace) => {
    const { connect } = losing([write(0, "unlucky")], pace);
    expect(connect().hear()).toEqual(["write 0 unlucky"]);
  });

  it("holds nothing against it while the server answers nothing at all", () => {
    const asked = write(0, "unlucky");
    const { flow, connect, clock, counters } = losing([asked]);
    for (let turn = 0; turn < 100; turn += 1) {
      expect(connect().hear()).toEqual(["read 0+512"]);
      flow.lost();
      clock.advance(60_000);
    }
    expect([asked.answers, counters.poisonedRequests]).toEqual([[], 0]);
  });
});
