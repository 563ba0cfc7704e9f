import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReadCost } from "../../../src/disks/read-cost.ts";
import { ManualClock } from "../support/manual-clock.ts";

const K = 1024;

/** The cost of reads that are sent one after the other over a link. */
class Stand {
  readonly clock = new ManualClock();
  readonly cost = new ReadCost(this.clock);

  read(lengthBytes: number, tookMs: number): void {
    const sent = this.cost.send();
    this.clock.advance(tookMs);
    this.cost.arrived(sent, lengthBytes);
  }
}

describe("ReadCost", () => {
  it("knows no end of the distance before it has seen two sizes", () => {
    const { cost } = new Stand();
    expect(cost.distanceBytes).toBe(Infinity);
    const stand = new Stand();
    for (let i = 0; i < 10; i += 1) stand.read(4 * K, 5);
    expect(stand.cost.distanceBytes).toBe(Infinity);
  });

  it("tells a time for each read from a time for each byte", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 20, maxLength: 200 }),
        (delayMs, kibPerMs, sizes) => {
          const stand = new Stand();
          for (const size of [0, 8, ...sizes, 0, 8]) {
            const lengthBytes = 4 * K * 2 ** size;
            stand.read(lengthBytes, delayMs + lengthBytes / (kibPerMs * K));
          }
          const distanceBytes = delayMs * kibPerMs * K;
          // What sizes that hardly differ would tell is doubted, so that it is rather taken for further than nearer.
          expect(stand.cost.distanceBytes).toBeGreaterThan(0.99 * distanceBytes);
          expect(stand.cost.distanceBytes).toBeLessThan(1.2 * distanceBytes + 16 * K);
        },
      ),
    );
  });

  it("takes reads that wait for each other's bytes for what they are", () => {
    const { clock, cost } = new Stand();
    const sent = Array.from({ length: 8 }, () => cost.send());
    clock.advance(0.5);
    for (const one of sent) {
      clock.advance(2);
      cost.arrived(one, 128 * K);
    }
    expect(cost.distanceBytes).toBeGreaterThan(16 * K);
    expect(cost.distanceBytes).toBeLessThan(64 * K);
  });

  it("does not take reads that come at the same time for bytes that cost nothing, nor for much", () => {
    const { clock, cost } = new Stand();
    for (let i = 0; i < 10; i += 1) {
      const sent = Array.from({ length: 8 }, () => cost.send());
      clock.advance(5);
      for (const one of sent) cost.arrived(one, 128 * K);
    }
    expect(cost.distanceBytes).toBe(Infinity);
  });

  it("is not confused for long by one read that took very long", () => {
    const stand = new Stand();
    for (let i = 0; i < 100; i += 1) stand.read(i % 2 === 0 ? 4 * K : 128 * K, i % 2 === 0 ? 0.5 : 3);
    const before = stand.cost.distanceBytes;
    stand.read(4 * K, 60_000);
    for (let i = 0; i < 100; i += 1) stand.read(i % 2 === 0 ? 4 * K : 128 * K, i % 2 === 0 ? 0.5 : 3);
    expect(stand.cost.distanceBytes).toBeLessThan(2 * before);
    expect(stand.cost.distanceBytes).toBeGreaterThan(before / 2);
  });

  it("follows a link that becomes another", () => {
    const stand = new Stand();
    const read = (delayMs: number): void => {
      for (let i = 0; i < 400; i += 1) {
        const lengthBytes = (i % 2 === 0 ? 4 : 128) * K;
        stand.read(lengthBytes, delayMs + lengthBytes / (50 * K));
      }
    };
    read(0.2);
    expect(stand.cost.distanceBytes).toBeLessThan(20 * K);
    read(10);
    expect(stand.cost.distanceBytes).toBeGreaterThan(400 * K);
    read(0.2);
    expect(stand.cost.distanceBytes).toBeLessThan(30 * K);
  });

  it("begins anew, also for what was sent before, when it is told to forget", () => {
    const { clock, cost } = new Stand();
    const sent = cost.send();
    clock.advance(10_000);
    cost.forget();
    clock.advance(1);
    cost.arrived(sent, 4 * K);
    const [short, long] = [cost.send(), cost.send()];
    clock.advance(1);
    cost.arrived(short, 4 * K);
    clock.advance(10);
    cost.arrived(long, 512 * K);
    expect(cost.distanceBytes).toBeLessThan(64 * K);
  });
});
