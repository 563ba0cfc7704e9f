import { describe, expect, it } from "vitest";
import { PlainDisplay } from "../../../src/demo/plain-display.ts";

const killed = {
  phase: "writing",
  doneBytes: 110,
  sizeBytes: 1000,
  killsAtBytes: [110],
  serverIsUp: false,
  note: "server killed",
};

describe("a plain display", () => {
  it("writes a line for each event and none for mere progress", () => {
    let written = "";
    const display = new PlainDisplay(
      (text) => (written += text),
      () => undefined,
    );
    display.line("Hello.");
    display.progressed();
    display.happened(killed);
    display.close();
    expect(written).toBe("Hello.\nwriting  11 %  server killed\n");
  });

  it("keeps the log apart", () => {
    let log = "";
    const display = new PlainDisplay(
      () => undefined,
      (text) => (log += text),
    );
    display.log("1:W:2 0 a.ts:3: b\n");
    expect(log).toBe("1:W:2 0 a.ts:3: b\n");
  });
});
