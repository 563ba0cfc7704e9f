import type { Display } from "./display.ts";
import { percentText, type Progress } from "./progress-bar.ts";

/** A display for pipes and files: a line for each event, no control characters. */
export class PlainDisplay implements Display {
  readonly #write: (text: string) => void;
  readonly #writeLog: (text: string) => void;

  constructor(write: (text: string) => void, writeLog: (text: string) => void) {
    this.#write = write;
    this.#writeLog = writeLog;
  }

  progressed(): void {
    // Between the events there is nothing worth a line.
  }

  happened(progress: Progress): void {
    this.line(`${progress.phase.padEnd(8)}${percentText(progress)}  ${progress.note}`);
  }

  line(text: string): void {
    this.#write(`${text}\n`);
  }

  log(text: string): void {
    this.#writeLog(text);
  }

  close(): void {
    // No line is open.
  }
}
