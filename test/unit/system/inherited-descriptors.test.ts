import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { passingDescriptors } from "../../../src/system/inherited-descriptors.ts";

describe("passingDescriptors", () => {
  it("has what Node.js has opened, and not the standard streams", () => {
    const descriptor = openSync(import.meta.filename, "r");
    try {
      const passing = passingDescriptors();
      expect(passing.get(descriptor)).toBe(import.meta.filename);
      expect([0, 1, 2].filter((stream) => passing.has(stream))).toEqual([]);
    } finally {
      closeSync(descriptor);
    }
  });
});
