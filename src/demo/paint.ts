import type { Paint } from "./progress-bar.ts";

const CODES = { green: 32, yellow: 33, red: 31 } as const;

/** Colours for a terminal; none where `NO_COLOR` is set, or when the output is no terminal. */
export function paintFor(isTerminal: boolean, environment: NodeJS.ProcessEnv): Paint {
  const plain = !isTerminal || (environment["NO_COLOR"] ?? "") !== "";
  return plain ? (_colour, text) => text : (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[39m`;
}
