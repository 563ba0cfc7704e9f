import { describe, expect, it } from "vitest";

import { WaitingClient } from "../../../src/downstream/waiting-client.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { settle } from "../support/settle.ts";

function setUp() {
  const stream = new FakeStream();
  const gone: WaitingClient[] = [];
  const client = new WaitingClient(stream, (one) => gone.push(one));
  stream.start(client);
  return { stream, client, gone };
}

describe("WaitingClient", () => {
  it("keeps what the client says before its turn", () => {
    const { stream, client, gone } = setUp();
    stream.say(Buffer.from("some "));
    stream.say(Buffer.from("early words"));
    expect(client.early.toString()).toBe("some early words");
    expect(gone).toEqual([]);
    expect(stream.writes).toEqual([]);
    client.drained();
  });

  it("lets a client go that says too much", async () => {
    const { stream, client, gone } = setUp();
    stream.say(Buffer.alloc(1023));
    expect(gone).toEqual([]);
    stream.say(Buffer.alloc(1));
    expect([gone[0], stream.destroyed]).toEqual([client, true]);
    await settle();
    expect(client.early.length).toBeLessThanOrEqual(1024);
  });

  it("is always ready to lend memory", () => {
    const { client } = setUp();
    client.received(1024);
    expect(client.buffer().length).toBeGreaterThan(0);
  });

  it.each(["sayEnd", "drop"] as const)("notices a client that leaves by %s", async (leave) => {
    const { stream, client, gone } = setUp();
    stream[leave]();
    await settle();
    expect(new Set(gone)).toEqual(new Set([client]));
    expect(stream.closed).toBe(true);
  });
});
