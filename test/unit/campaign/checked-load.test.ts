import { describe, expect, it } from "vitest";

import { BlockLedger } from "../../../campaign/block-ledger.ts";
import { BLOCK_BYTES } from "../../../campaign/block-tag.ts";
import { CheckedLoad } from "../../../campaign/checked-load.ts";
import type { NbdAnswer, NbdRequest, Requester } from "../../../campaign/nbd-client.ts";
import { OperationMix } from "../../../campaign/operation-mix.ts";
import type { MixSettings } from "../../../campaign/operation-mix.ts";
import { SeededRandom } from "../../simulation/seeded-random.ts";
import * as wire from "../../simulation/wire.ts";

const BLOCKS = 1024;
const OFFERS = wire.OFFERS.FLUSH | wire.OFFERS.FUA | wire.OFFERS.TRIM | wire.OFFERS.ZEROES;
const SETTINGS: MixSettings = {
  hotFirstBlock: 0,
  hotBlocks: BLOCKS,
  hotShare: 1,
  readShare: 0.4,
  zeroesShare: 0.1,
  trimShare: 0.01,
  flushShare: 0.02,
  fuaShare: 0.1,
};

/** A disk in memory that takes a turn of the event loop for each request. */
class FakeDisk implements Requester {
  readonly content = Buffer.alloc(BLOCKS * BLOCK_BYTES);
  /** Acknowledges the next write and does not carry it out. */
  forgetsNext = false;
  forgotten = 0;
  onForget = (): void => undefined;
  error = 0;
  isGone = false;

  async request({ command, offset, length, payload }: NbdRequest): Promise<NbdAnswer> {
    await new Promise(setImmediate);
    if (this.isGone) throw new Error("the connection is over");
    const nothing = Buffer.alloc(0);
    if (this.error !== 0) return { error: this.error, data: nothing };
    if (command === wire.READ) return { error: 0, data: Buffer.from(this.content.subarray(offset, offset + length)) };
    if (command === wire.WRITE_ZEROES) this.content.fill(0, offset, offset + length);
    if (command === wire.WRITE && this.forgetsNext) {
      this.forgetsNext = false;
      this.forgotten = length / BLOCK_BYTES;
      this.onForget();
    } else {
      payload?.copy(this.content, offset);
    }
    return { error: 0, data: nothing };
  }
}

function start(disk: FakeDisk, clients = 2, depth = 4) {
  const load = new CheckedLoad(
    Array.from({ length: clients }, () => disk),
    new BlockLedger(BLOCKS),
  );
  const mixes = [1, 2].map((seed) => new OperationMix(new SeededRandom(seed), SETTINGS, BLOCKS, OFFERS));
  const running = load.run(mixes, depth);
  const reach = async (answers: number): Promise<void> => {
    while (load.answers < answers) await new Promise(setImmediate);
  };
  return { load, running, reach };
}

describe("CheckedLoad", () => {
  it("finds nothing wrong with a good disk, and counts what it does", async () => {
    const { load, running, reach } = start(new FakeDisk());
    await reach(500);
    load.stop();
    await running;
    await load.readBack();
    expect(await load.flush()).toBe(0);
    const { operations, bytesRead, bytesWritten, errors, findings } = load.takeTally();
    expect(findings).toEqual([]);
    expect([...errors]).toEqual([]);
    expect(operations).toBe(load.answers);
    expect(bytesRead).toBeGreaterThan(BLOCKS * BLOCK_BYTES);
    expect(bytesWritten).toBeGreaterThan(BLOCKS * BLOCK_BYTES);
    expect(load.unflushed.bytes).toBe(0);
    expect(load.takeTally().operations).toBe(0);
  });

  it("finds every block of the one write that was forgotten", async () => {
    const disk = new FakeDisk();
    const { load, running, reach } = start(disk, 1, 1);
    await reach(100);
    // Nothing may be written over it before it is looked for.
    disk.onForget = () => load.stop();
    disk.forgetsNext = true;
    await running;
    await load.readBack();
    const { findings } = load.takeTally();
    expect(disk.forgotten).toBeGreaterThan(0);
    expect(findings.map(({ kind }) => kind)).toEqual(Array.from({ length: disk.forgotten }, () => "lost"));
  });

  it("begins nothing while it is paused", async () => {
    const { load, running, reach } = start(new FakeDisk());
    await reach(20);
    load.pause();
    await load.idle();
    const { answers } = load;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(load.answers).toBe(answers);
    load.resume();
    await reach(answers + 20);
    load.stop();
    await running;
  });

  it("counts errors by their number, and goes on", async () => {
    const disk = new FakeDisk();
    const { load, running, reach } = start(disk);
    await reach(20);
    disk.error = wire.ENOSPC;
    await reach(load.answers + 50);
    disk.error = 0;
    await reach(load.answers + 200);
    load.stop();
    await running;
    await load.readBack();
    const { errors, findings } = load.takeTally();
    expect(errors.get(wire.ENOSPC)).toBeGreaterThan(20);
    expect(findings).toEqual([]);
  });

  it("rejects when a connection is over, with nothing left to wait for", async () => {
    const disk = new FakeDisk();
    const { load, running, reach } = start(disk);
    await reach(20);
    disk.isGone = true;
    await expect(running).rejects.toThrow("the connection is over");
    await load.idle();
  });
});
