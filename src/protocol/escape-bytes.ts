/** Letters, marks, numbers, punctuation, symbols and the plain space; neither the quote nor the backslash. */
const PRINTABLE = /^(?:(?!["\\])[\p{L}\p{M}\p{N}\p{P}\p{S} ])$/u;

/** Escapes that every reader knows. */
const SHORT_ESCAPES = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

/**
 * A peer's text made safe for a log line or an error text: one line without control, invisible or direction-changing
 * characters, at most `limitLength` UTF-16 units long. What is cut off is shown as `…`. Fit to stand between double
 * quotes.
 */
export function escapeText(text: string, limitLength = 200): string {
  let escaped = "";
  let cutLength = 0;
  for (const character of text) {
    escaped += PRINTABLE.test(character) ? character : escapeCharacter(character);
    if (escaped.length > limitLength) return `${escaped.slice(0, cutLength)}…`;
    // The last place where the ellipsis still fits, and never inside an escape or a pair of surrogates.
    if (escaped.length < limitLength) cutLength = escaped.length;
  }
  return escaped;
}

function escapeCharacter(character: string): string {
  return SHORT_ESCAPES.get(character) ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
