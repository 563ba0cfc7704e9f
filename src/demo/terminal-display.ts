import type { Display } from "./display.ts";
import { type Paint, type Progress, progressBar } from "./progress-bar.ts";

/** A terminal: where text and log lines go, how many columns there are, and how it is coloured. */
export interface Terminal {
  write(text: string): void;
  writeLog(text: string): void;
  columns(): number;
  readonly paint: Paint;
}

/** Back to the first column, and everything behind it erased. */
const CLEAR_LINE = "\r\x1b[K";
/** More often than this a redrawn line only flickers. */
const REDRAW_MS = 50;

/** A display with one line at the bottom that is drawn again and again. */
export class TerminalDisplay implements Display {
  readonly #terminal: Terminal;
  readonly #nowMs: () => number;
  #shown: Progress | undefined;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal, nowMs: () => number) {
    this.#terminal = terminal;
    this.#nowMs = nowMs;
  }

  progressed(progress: Progress): void {
    this.#shown = progress;
    const isWhole = progress.doneBytes === progress.sizeBytes;
    if (isWhole || this.#nowMs() - this.#drawnAtMs >= REDRAW_MS) this.#draw();
  }

  happened(progress: Progress): void {
    this.#shown = progress;
    this.#draw();
  }

  line(text: string): void {
    this.close();
    this.#terminal.write(`${text}\n`);
  }

  log(text: string): void {
    if (this.#shown !== undefined) this.#terminal.write(CLEAR_LINE);
    this.#terminal.writeLog(text);
    this.#draw();
  }

  /** Leaves the last line as it stands and goes to the next. */
  close(): void {
    if (this.#shown === undefined) return;
    this.#draw();
    this.#shown = undefined;
    this.#terminal.write("\n");
  }

  #draw(): void {
    if (this.#shown === undefined) return;
    this.#drawnAtMs = this.#nowMs();
    // In the last column some terminals go on to the next line.
    const columns = this.#terminal.columns() - 1;
    this.#terminal.write(CLEAR_LINE + progressBar(this.#shown, columns, this.#terminal.paint));
  }
}
