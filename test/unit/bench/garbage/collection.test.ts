import { describe, expect, it } from "vitest";

import { parseCollections } from "../../../../bench/garbage/collection.ts";

// From Node 20 and from Node 24, with most of the pairs left out.
const SCAVENGE_20 =
  "[17893:0xcd38c00]      734 ms: pause=0.6 mutator=4.4 gc=s reduce_memory=0 scavenge=0.56 " +
  "total_size_before=20882824 total_size_after=4920920 allocated=15961904 promoted=0 promotion_ratio=0.0%\n";
const SCAVENGE_24 =
  "[17926:0x430e8000:0]      712 ms: pause=0.5 mutator=8.1 gc=s reduce_memory=0 interleaved=0 " +
  "start_object_size=38447456 end_object_size=5548608 allocated=32898016 promoted=0\n";
const WHOLE = "[17893:0xcd38c00]     1200 ms: pause=3.1 mutator=90.2 gc=mc reduce_memory=0 allocated=1024\n";

describe("parseCollections", () => {
  it("reads what Node 20 and Node 24 print", () => {
    expect(parseCollections(SCAVENGE_20 + SCAVENGE_24)).toEqual([
      { atMs: 734, isScavenge: true, pauseMs: 0.6, allocatedBytes: 15_961_904 },
      { atMs: 712, isScavenge: true, pauseMs: 0.5, allocatedBytes: 32_898_016 },
    ]);
  });

  it("tells a collection of the whole heap from a scavenge", () => {
    expect(parseCollections(WHOLE)).toEqual([{ atMs: 1200, isScavenge: false, pauseMs: 3.1, allocatedBytes: 1024 }]);
  });

  it("passes over what others print", () => {
    expect(parseCollections(`a line\n${WHOLE}[1] pause=\n`)).toHaveLength(1);
    expect(parseCollections("")).toEqual([]);
  });

  it("leaves out a last line that is cut off anywhere", () => {
    for (let end = 0; end < WHOLE.length; end += 1) {
      expect(parseCollections(SCAVENGE_20 + WHOLE.slice(0, end))).toHaveLength(1);
    }
  });

  it("refuses a line without its figures", () => {
    expect(() => parseCollections("[1:0x1] 7 ms: pause=0.1 gc=s\n")).toThrow("not a collection");
  });
});
