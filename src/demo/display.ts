import type { Progress } from "./progress-bar.ts";

/** Where the demo shows what happens. */
export interface Display {
  /** The copy went on. */
  progressed(progress: Progress): void;
  /** Something happened to the server; `progress.note` says what. */
  happened(progress: Progress): void;
  /** A whole line that stays. */
  line(text: string): void;
  /** Part of the log, ending in a newline. */
  log(text: string): void;
  /** Shows no more progress. */
  close(): void;
}
