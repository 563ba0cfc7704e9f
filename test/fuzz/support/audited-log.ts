import type { Log } from "../../../src/ports/log.ts";
import { checkText } from "./check-text.ts";

/** A log whose every line must be fit to print. */
export class AuditedLog implements Log {
  warnings = 0;

  debug(text: string): void {
    checkText(text);
  }

  info(text: string): void {
    checkText(text);
  }

  warning(text: string): void {
    this.warnings += 1;
    checkText(text);
  }

  error(text: string): void {
    this.warnings += 1;
    checkText(text);
  }
}
