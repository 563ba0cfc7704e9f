import { mebibytes } from "./mebibytes.ts";
import type { Paint } from "./progress-bar.ts";

/** How the copy went. */
export interface DemoResult {
  readonly sizeBytes: number;
  /** SHA-256 of what was written, and of what was read back, in hexadecimal. */
  readonly writtenChecksum: string;
  readonly readChecksum: string;
  readonly kills: number;
  /** What the server had acknowledged and lost when it was killed. */
  readonly lostBytes: number;
  readonly awayMs: number;
  readonly longestWaitMs: number;
}

/** What is said at the end of a copy that went well: the result, and what to do next. */
export function resultText(result: DemoResult, paint: Paint): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `
${paint("green", "Every byte is right.")} The client noticed nothing but some slow answers.

  data           ${result.sizeBytes / 1024 ** 2} MiB written, then read back
  sha256 before  ${result.writtenChecksum}
  sha256 after   ${result.readChecksum}
  server         killed ${result.kills} times, away for ${seconds(result.awayMs)} in all
  lost with it   ${mebibytes(result.lostBytes)} that it had acknowledged; nothing of that is missing
  client         one connection, never lost; longest wait for an answer ${seconds(result.longestWaitMs)}

Next, put the proxy in front of your own server, and point your client at it:

  flexnbd-proxy --addr 127.0.0.1 --port 10810 --conn-addr SERVER --conn-port 10809

"flexnbd-proxy --help" lists the options; the README tells the rest.
`;
}
