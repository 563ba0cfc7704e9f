// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reverse a terminal's text.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with everything that could break its line, or a terminal, in the form `\n` or `\u001b`. */
export function oneLine(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
