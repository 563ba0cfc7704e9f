import { describe, expect, it } from "vitest";

import { eventually } from "../../../campaign/eventually.ts";
import { within } from "../../../campaign/within.ts";

describe("within", () => {
  it("gives the result or the failure of a promise", async () => {
    expect(await within("an answer", 10_000, Promise.resolve(7))).toBe(7);
    await expect(within("an answer", 10_000, Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("gives up after some time", async () => {
    await expect(within("an answer", 10, new Promise(() => {}))).rejects.toThrow("waited 0.01 s in vain: an answer");
  });
});

describe("eventually", () => {
  it("asks until there is an answer", async () => {
    const answers = [undefined, false, "here"] as const;
    let asked = 0;
    expect(await eventually("an answer", 10_000, () => answers[asked++])).toBe("here");
  });

  it("gives up after some time, and passes on a failure", async () => {
    await expect(eventually("an answer", 10, () => false)).rejects.toThrow("in vain: an answer");
    await expect(
      eventually("an answer", 10_000, () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
  });
});
