import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/limits.ts";
import { COMMAND } from "../../src/protocol/constants.ts";
import { parseNbdUri } from "../../src/protocol/nbd-uri.ts";
import { isProtocolText } from "../../src/protocol/option-text.ts";
import { SessionWorld } from "../unit/downstream/served-client.ts";
import { HeldDisk } from "../unit/support/held-disk.ts";
import { requestBytes } from "../unit/support/naive-codec.ts";
import { settle } from "../unit/support/settle.ts";

const DISC = requestBytes({ command: COMMAND.DISC });

describe("found by fuzzing", () => {
  it("half a character is not sent to a server as another one", () => {
    expect(isProtocolText("\ud834\udd1e")).toBe(true);
    expect(isProtocolText("\ud834")).toBe(false);
    expect(() => parseNbdUri("nbd://host/\udd1e")).toThrow("half a character");
    expect(() => parseNbdUri("nbd+unix:///?socket=/run/\ud834")).toThrow("half a character");
  });

  it("nonsense behind a DISC does not cost the answers to what was asked before it", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream, client } = await world.join();
    const read = requestBytes({ command: COMMAND.READ, cookie: 7n, offset: 0, length: 1 });
    stream.say(Buffer.concat([read, DISC, Buffer.alloc(28)]));
    await settle();
    expect([world.left, disk.held.length, world.log.of("warning")]).toEqual([0, 1, []]);
    disk.answerAll();
    await settle();
    expect(stream.heard.length - stream.heard.indexOf(Buffer.from("67446698", "hex"))).toBe(17);
    expect(client.stream.finished).toBe(true);
    await world.expectNothingHeld();
  });

  it("bytes behind a DISC leave no timer running, and do not end the wait for the last answers", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream } = await world.join();
    const write = requestBytes({ command: COMMAND.WRITE, cookie: 7n, offset: 0, payload: Buffer.from("x") });
    stream.say(Buffer.concat([write, DISC, Buffer.from("more")]));
    await settle();
    world.clock.advance(2 * LIMITS.messageMs);
    expect([world.left, world.clock.pending]).toEqual([0, 0]);
    disk.answerAll();
    await world.expectNothingHeld();
  });
});
