import type { Log } from "../../../src/ports/log.ts";

/** A log that keeps its lines, each with its level in front: `warning: the server is gone`. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];

  debug(message: string): void {
    this.lines.push(`debug: ${message}`);
  }

  info(message: string): void {
    this.lines.push(`info: ${message}`);
  }

  warning(message: string): void {
    this.lines.push(`warning: ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error: ${message}`);
  }

  fatal(message: string): void {
    this.lines.push(`fatal: ${message}`);
  }

  /** The lines of one level, without it. */
  of(level: "debug" | "info" | "warning" | "error" | "fatal"): string[] {
    return this.lines.filter((line) => line.startsWith(`${level}: `)).map((line) => line.slice(level.length + 2));
  }
}
