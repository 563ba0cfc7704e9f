import { describe, expect, it } from "vitest";

import { type Sendable, SendingOrder, type SendingPhase } from "../../../src/durability/sending-order.ts";

const everything: readonly Sendable[] = ["replay", "resend", "rewrite", "flush", "request"];

describe("SendingOrder", () => {
  it("lets nothing be sent before there is a connection", () => {
    const order = new SendingOrder();
    expect([order.phase, everything.some((what) => order.maySend(what))]).toEqual(["away", false]);
  });

  it.each<[SendingPhase, readonly Sendable[]]>([
    ["away", []],
    ["replaying", ["replay"]],
    ["resending", ["resend"]],
    ["open", ["rewrite", "flush", "request"]],
    ["quiescing", []],
  ])("lets this be sent while %s: %j", (phase, expected) => {
    const order = new SendingOrder();
    order.phase = phase;
    expect(everything.filter((what) => order.maySend(what))).toEqual(expected);
  });
});
