import { expectThat } from "./fuzz-target.ts";

/** Control, format, private and unassigned characters, line breaks, lone surrogates. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** The longest message that an error or a log line may have, whatever a peer sent. */
const LONGEST = 1000;

/** A message for people must be one printable line of sensible length. */
export function checkText(text: string): void {
  expectThat(!UNPRINTABLE.test(text), `unprintable: ${JSON.stringify(text)}`);
  expectThat(text.length <= LONGEST, `a message of ${text.length} characters`);
}

/** An error must be one of these classes, by name, and fit to be printed. */
export function checkError(error: unknown, names: readonly string[]): void {
  if (!(error instanceof Error) || !names.includes(error.name)) throw error;
  checkText(error.message);
}
