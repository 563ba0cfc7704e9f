import { describe, expect, it } from "vitest";
import { paintFor } from "../../../src/demo/paint.ts";
import type { Progress } from "../../../src/demo/progress-bar.ts";
import { TerminalDisplay } from "../../../src/demo/terminal-display.ts";

const CLEAR = "\r\x1b[K";

function progress(doneBytes: number): Progress {
  return { phase: "writing", doneBytes, sizeBytes: 100, killsAtBytes: [], serverIsUp: true, note: "" };
}

function terminal(): { display: TerminalDisplay; output: string[]; clock: { nowMs: number } } {
  const output: string[] = [];
  const clock = { nowMs: 0 };
  const display = new TerminalDisplay(
    {
      write: (text) => output.push(text),
      writeLog: (text) => output.push(`log ${text}`),
      columns: () => 41,
      paint: paintFor(false, {}),
    },
    () => clock.nowMs,
  );
  return { display, output, clock };
}

describe("a display on a terminal", () => {
  it("draws the same line again", () => {
    const { display, output, clock } = terminal();
    display.progressed(progress(10));
    clock.nowMs = 1000;
    display.progressed(progress(20));
    expect(output).toEqual([`${CLEAR}writing  10 %  `, `${CLEAR}writing  20 %  `]);
  });

  it("does not draw progress more often than the eye can see, but always the end", () => {
    const { display, output } = terminal();
    for (let done = 1; done <= 100; done += 1) display.progressed(progress(done));
    expect(output).toEqual([`${CLEAR}writing   1 %  `, `${CLEAR}writing 100 %  `]);
  });

  it("draws events at once", () => {
    const { display, output } = terminal();
    display.progressed(progress(10));
    display.happened({ ...progress(11), note: "server killed" });
    expect(output.at(-1)).toBe(`${CLEAR}writing  11 %  server killed`);
  });

  it("puts log lines above the line", () => {
    const { display, output } = terminal();
    display.happened(progress(10));
    display.log("a\n");
    expect(output.slice(1)).toEqual([CLEAR, "log a\n", `${CLEAR}writing  10 %  `]);
  });

  it("writes log lines as they are while there is no line", () => {
    const { display, output } = terminal();
    display.log("a\n");
    expect(output).toEqual(["log a\n"]);
  });

  it("leaves its last state standing when it is closed, once", () => {
    const { display, output, clock } = terminal();
    display.progressed(progress(10));
    clock.nowMs = 1;
    display.progressed(progress(12));
    display.close();
    display.close();
    expect(output.slice(1)).toEqual([`${CLEAR}writing  12 %  `, "\n"]);
  });
});
