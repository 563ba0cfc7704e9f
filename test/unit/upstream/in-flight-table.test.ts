import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { COMMAND } from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import { request } from "./requests.ts";

describe("InFlightTable", () => {
  it("finds requests by cookie, and counts them", () => {
    const table = new InFlightTable();
    const [one, other] = [table.add(request(), undefined), table.add(request(), undefined)];
    expect(table.count).toBe(2);
    expect(table.find(one.cookieHigh, one.cookieLow)).toBe(one);
    expect(table.find(other.cookieHigh, other.cookieLow)).toBe(other);
    expect(new Set(table)).toEqual(new Set([one, other]));
  });

  it("finds nothing for cookies that were never given out", () => {
    const table = new InFlightTable();
    const entry = table.add(request(), undefined);
    expect(table.find(entry.cookieHigh, entry.cookieLow + 1)).toBeUndefined();
    expect(table.find(entry.cookieHigh + 1, entry.cookieLow)).toBeUndefined();
    expect(table.find(0xffff_ffff, 0xffff_ffff)).toBeUndefined();
    expect(table.find(0, 0)).toBeUndefined();
  });

  it("uses the slot of an answered request again, under another cookie", () => {
    const table = new InFlightTable();
    const first = table.add(request(), undefined);
    table.remove(first);
    const second = table.add(request(), undefined);
    expect(second.cookieLow).toBe(first.cookieLow);
    expect(second.cookieHigh).not.toBe(first.cookieHigh);
    expect(table.find(first.cookieHigh, first.cookieLow)).toBeUndefined();
    expect(table.count).toBe(1);
  });

  it("counts admissions over all requests, whatever slots they use", () => {
    const table = new InFlightTable();
    const first = table.add(request(), undefined);
    table.add(request(), undefined);
    table.remove(first);
    expect(table.add(request(), undefined).admission).toBe(3);
  });

  it("asserts that a request is removed once", () => {
    const table = new InFlightTable();
    const entry = table.add(request(), undefined);
    table.remove(entry);
    expect(() => table.remove(entry)).toThrow("removed a request that is not in flight");
  });

  it("never gives a cookie out twice, and stays as small as what is in flight", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { freq: 2 }), { maxLength: 200 }), (steps) => {
        const table = new InFlightTable();
        const held: InFlight[] = [];
        const cookies = new Set<string>();
        let most = 0;
        for (const pick of steps) {
          if (pick === null || held.length === 0) {
            const entry = table.add(request(), undefined);
            const cookie = `${entry.cookieHigh} ${entry.cookieLow}`;
            expect(cookies.has(cookie)).toBe(false);
            cookies.add(cookie);
            held.push(entry);
            most = Math.max(most, held.length);
            expect(entry.cookieLow).toBeLessThan(most);
          } else {
            for (const entry of held.splice(pick % held.length, 1)) table.remove(entry);
          }
          expect(table.count).toBe(held.length);
          expect(new Set(table)).toEqual(new Set(held));
        }
      }),
    );
  });
});

describe("InFlight", () => {
  it("is what was asked, and knows whether that changes the disk", () => {
    const table = new InFlightTable();
    const owner = {};
    const asked = request({ text: "payload", offset: 4096, flags: 1 });
    const entry = table.add(asked, owner);
    expect(entry).toMatchObject({ command: 1, flags: 1, offset: 4096, length: 7, writeLike: true, sentBefore: false });
    expect([entry.request, entry.owner, entry.session]).toEqual([asked, owner, undefined]);
    const writeLike = [COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM];
    for (const command of Object.values(COMMAND)) {
      expect(table.add(request({ command }), owner).writeLike).toBe((writeLike as number[]).includes(command));
    }
  });
});
