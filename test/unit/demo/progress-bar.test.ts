import { describe, expect, it } from "vitest";
import { paintFor } from "../../../src/demo/paint.ts";
import { type Progress, percentText, progressBar } from "../../../src/demo/progress-bar.ts";

const plain = paintFor(false, {});

function progress(changes: Partial<Progress>): Progress {
  return {
    phase: "writing",
    doneBytes: 0,
    sizeBytes: 1000,
    killsAtBytes: [],
    serverIsUp: true,
    note: "",
    ...changes,
  };
}

describe("the progress bar", () => {
  it("is empty at the beginning and full at the end", () => {
    expect(progressBar(progress({}), 76, plain)).toBe(`writing [${".".repeat(21)}]   0 %  `);
    expect(progressBar(progress({ doneBytes: 1000 }), 76, plain)).toBe(`writing [${"#".repeat(21)}] 100 %  `);
  });

  it("marks where the server was killed and says what happened", () => {
    const killed = progress({ doneBytes: 500, killsAtBytes: [100, 500], note: "server killed" });
    expect(progressBar(killed, 75, plain)).toBe("writing [##x#######x.........]  50 %  server killed");
  });

  it("has a mark for a kill in the last byte as well", () => {
    const killed = progress({ doneBytes: 1000, killsAtBytes: [1000] });
    expect(progressBar(killed, 75, plain)).toContain(`[${"#".repeat(19)}x]`);
  });

  it("is never wider than the terminal, whatever its width", () => {
    const long = progress({ doneBytes: 1000, note: "n".repeat(200) });
    for (let columns = 0; columns < 300; columns += 1) {
      expect(progressBar(long, columns, plain).length).toBeLessThanOrEqual(columns);
    }
  });

  it("leaves the bar out where there is no place for it", () => {
    expect(progressBar(progress({ doneBytes: 500, note: "server killed" }), 60, plain)).toBe(
      "writing  50 %  server killed",
    );
  });

  it("has whole notes on a terminal of 80 columns", () => {
    const note = "server killed, 16 requests under way";
    expect(progressBar(progress({ note }), 79, plain)).toContain(note);
  });

  it("colours runs of cells, in another colour while the server is away", () => {
    const paint = paintFor(true, {});
    const killed = progress({ doneBytes: 500, killsAtBytes: [500] });
    expect(progressBar(killed, 75, paint)).toContain(`[\x1b[32m${"#".repeat(10)}\x1b[39m\x1b[31mx\x1b[39m.........]`);
    expect(progressBar({ ...killed, serverIsUp: false }, 75, paint)).toContain(`[\x1b[33m${"#".repeat(10)}\x1b[39m`);
  });
});

describe("the percentage", () => {
  it("is 100 only when all is done", () => {
    expect(percentText(progress({ doneBytes: 999 }))).toBe(" 99 %");
    expect(percentText(progress({ doneBytes: 1000 }))).toBe("100 %");
  });
});
