import { describe, expect, it } from "vitest";

import { Turn } from "../../../src/transport/turn.ts";

describe("Turn", () => {
  const source = {};

  it("runs what was put off when it ends, and not before", () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.begin(source);
    turn.putOff(() => done.push("put off"));
    done.push("received");
    turn.end();
    expect(done).toEqual(["received", "put off"]);
  });

  it("tells from whom something is being received", () => {
    const turn = new Turn();
    turn.begin(source);
    expect(turn.source).toBe(source);
    turn.end();
    expect(turn.source).toBeUndefined();
  });

  it("runs as well what is put off by what was put off", () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.begin(source);
    turn.putOff(() => turn.putOff(() => done.push("second")));
    turn.end();
    expect(done).toEqual(["second"]);
  });

  it("runs a step once for each time that it was put off, and not again in the next turn", () => {
    const turn = new Turn();
    let count = 0;
    const step = (): void => void (count += 1);
    turn.begin(source);
    turn.putOff(step);
    turn.putOff(step);
    turn.end();
    expect(count).toBe(2);
    turn.begin(source);
    turn.end();
    expect(count).toBe(2);
  });

  it("runs outside of turns what is put off as soon as the running code is done", async () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.putOff(() => {
      done.push("first");
      turn.putOff(() => done.push("third"));
    });
    turn.putOff(() => done.push("second"));
    expect(done).toEqual([]);
    await Promise.resolve();
    expect([...done].sort()).toEqual(["first", "second", "third"]);
  });

  it("keeps for the end of a turn what was put off right before it", async () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.putOff(() => done.push("put off"));
    turn.begin(source);
    turn.end();
    expect(done).toEqual(["put off"]);
    await Promise.resolve();
    expect(done).toEqual(["put off"]);
  });
});
