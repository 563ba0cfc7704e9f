import { describe, expect, it } from "vitest";

import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { PlayedLifecycle } from "./played-lifecycle.ts";

// The next connection is reached as soon as possible; whether it may be used, and whether the export may have become another
// one, is for others to say.

describe("Lifecycle that may not proceed", () => {
  it("reaches the next connection, keeps it, and uses it when it may", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, lifecycle, clock, log, lose } = played;
    played.mayProceed = false;
    lose();
    const next = connector.succeed();
    clock.advance(60_000);
    lifecycle.proceed();
    expect([connections.length, next.destroyed, connector.attempts.length]).toEqual([1, false, 2]);
    played.mayProceed = true;
    lifecycle.proceed();
    expect(connections.map(({ stream }) => stream)[1]).toBe(next);
    expect(log.lines.at(-1)).toBe("info: server store:10809: reached after 60.0 s, attempt 1");
    lifecycle.proceed();
    expect(connections).toHaveLength(2);
  });

  it("looks for another one when that is lost before it was used", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, clock, lifecycle, lose } = played;
    played.mayProceed = false;
    lose();
    connector.succeed().sayEnd();
    await settle();
    played.mayProceed = true;
    lifecycle.proceed();
    expect(connections).toHaveLength(1);
    clock.advance(100);
    connector.succeed();
    expect(connections).toHaveLength(2);
  });

  it("waits when the silent connection is given up for one that is ready", async () => {
    const played = await PlayedLifecycle.doubted();
    const { connector, connections, clock, lifecycle, givenUp } = played;
    played.mayProceed = false;
    connector.succeed();
    clock.advance(10_000);
    expect([givenUp.length, connections.length]).toEqual([1, 1]);
    played.mayProceed = true;
    lifecycle.proceed();
    expect(connections).toHaveLength(2);
  });

  it("has nothing to proceed with before it is connected, while it is, or when it is closed", async () => {
    const idle = new PlayedLifecycle();
    const connected = await PlayedLifecycle.connected();
    const doubted = await PlayedLifecycle.doubted();
    doubted.connector.succeed();
    const closed = await PlayedLifecycle.connected();
    closed.lifecycle.close();
    for (const { lifecycle, connections } of [idle, connected, doubted, closed]) {
      const before = connections.length;
      lifecycle.proceed();
      expect(connections).toHaveLength(before);
    }
  });

  it("ends for good when it is closed meanwhile", async () => {
    const played = await PlayedLifecycle.connected();
    played.mayProceed = false;
    played.lose();
    const next = played.connector.succeed();
    played.lifecycle.close();
    played.mayProceed = true;
    played.lifecycle.proceed();
    await settle();
    expect([next.destroyed, played.connections.length, played.clock.pending]).toEqual([true, 1, 0]);
  });
});

describe("Lifecycle of an export that nobody uses", () => {
  it("takes it in another size, says so first, and measures by that from then on", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, lifecycle, replacements, clock, log, lose } = played;
    played.mayDiffer = true;
    lose();
    connector.succeed({ sizeBytes: 4096 });
    expect([connections.length, replacements.map(({ sizeBytes }) => sizeBytes)]).toEqual([2, [4096]]);
    expect(log.of("warning").at(-1)).toBe(
      "server store:10809: its size is 4096 bytes now, not 1048576; nobody uses it",
    );
    played.mayDiffer = false;
    lifecycle.answered();
    lose();
    const former = connector.succeed();
    expect(former.destroyed).toBe(true);
    clock.advance(100);
    connector.succeed({ sizeBytes: 4096 });
    expect([connections.length, replacements.length]).toEqual([3, 1]);
  });

  it("is told of nothing when it has not changed", async () => {
    const played = await PlayedLifecycle.connected();
    played.mayDiffer = true;
    played.lose();
    played.connector.succeed();
    expect([played.connections.length, played.replacements]).toEqual([2, []]);
  });

  it("refuses what is strange in another way than its size", async () => {
    const played = await PlayedLifecycle.connected();
    played.mayDiffer = true;
    played.lose();
    const stranger = played.connector.succeed({ flags: ALL_FLAGS | TRANSMISSION_FLAG.READ_ONLY });
    expect([stranger.destroyed, played.connections.length, played.replacements]).toEqual([true, 1, []]);
  });

  it("looks for the right one when somebody came before the other was used", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, lifecycle, replacements, clock } = played;
    played.mayDiffer = true;
    played.mayProceed = false;
    played.lose();
    const other = connector.succeed({ sizeBytes: 4096 });
    expect(other.destroyed).toBe(false);
    played.mayDiffer = false;
    played.mayProceed = true;
    lifecycle.proceed();
    expect([other.destroyed, connections.length, replacements]).toEqual([true, 1, []]);
    clock.advance(0);
    connector.succeed();
    expect(connections).toHaveLength(2);
  });
});

describe("Lifecycle of an export whose metadata contexts are used", () => {
  const [BASE, OTHER] = ["base:allocation", "x-test:other"];

  it("refuses a server without one of them, and takes the next one that has them all", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, clock, log, lose } = played;
    played.neededContexts = [BASE, OTHER];
    lose();
    const stranger = connector.succeed({ contexts: [BASE] });
    expect([stranger.destroyed, connections.length]).toEqual([true, 1]);
    expect(log.of("warning").at(-1)).toContain('it has no metadata context \\"x-test:other\\" any more');
    clock.advance(100);
    connector.succeed({ contexts: [OTHER, "x-test:more", BASE] });
    expect(connections).toHaveLength(2);
  });

  it("takes a server without them when nobody uses them", async () => {
    const played = await PlayedLifecycle.connected();
    played.lose();
    played.connector.succeed({ contexts: [] });
    expect(played.connections).toHaveLength(2);
  });

  it("looks for another one when somebody who needs one came before the connection was used", async () => {
    const played = await PlayedLifecycle.connected();
    const { connector, connections, lifecycle, clock } = played;
    played.mayProceed = false;
    played.lose();
    const poor = connector.succeed({ contexts: [OTHER] });
    expect(poor.destroyed).toBe(false);
    played.neededContexts = [BASE];
    played.mayProceed = true;
    lifecycle.proceed();
    expect([poor.destroyed, connections.length]).toEqual([true, 1]);
    clock.advance(0);
    connector.succeed({ contexts: [OTHER] });
    expect(connections).toHaveLength(1);
    clock.advance(clock.nextInMs ?? 0);
    connector.succeed({ contexts: [OTHER, BASE] });
    expect(connections).toHaveLength(2);
  });

  it("does so as well with the connection that was found beside a silent one", async () => {
    const played = await PlayedLifecycle.doubted();
    const beside = played.connector.succeed();
    played.neededContexts = [BASE];
    played.lose();
    expect([beside.destroyed, played.connections.length]).toEqual([true, 1]);
    played.connector.succeed({ contexts: [BASE] });
    expect(played.connections).toHaveLength(2);
  });
});
