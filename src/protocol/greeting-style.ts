import type { Agreement } from "./agreement.ts";
import { type Dialogue, wait, write } from "./dialogue.ts";
import { HandshakeRefused } from "./handshake-refused.ts";
import { encodeOldstyleHello } from "./oldstyle-hello.ts";
import type { Served } from "./served.ts";
import { serverHandshake, type ServerHandshakeOptions } from "./server-handshake.ts";

/** How clients are greeted; `auto`: the way the server behind greeted us. */
export type GreetingStyle = "auto" | "oldstyle" | "newstyle";

/** Greets a client in the style that was chosen, and negotiates where there is something to negotiate. */
export function* greetClient<Opened extends Served>(
  style: GreetingStyle,
  options: ServerHandshakeOptions<Opened>,
): Dialogue<Agreement<Opened> | undefined> {
  if (style === "newstyle") return yield* serverHandshake(options);
  const standard = yield* wait(options.exports.open(""));
  if (style === "auto" && standard?.geometry.oldstyleHello === undefined) return yield* serverHandshake(options);
  if (standard === undefined)
    throw new HandshakeRefused("there is no default export to greet an old-style client with");
  yield* write(encodeOldstyleHello(standard.geometry));
  return { opened: standard, structuredReplies: false, contexts: [] };
}
