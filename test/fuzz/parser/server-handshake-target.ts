import { LIMITS } from "../../../src/limits.ts";
import type { Agreement } from "../../../src/protocol/agreement.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { greetClient, type GreetingStyle } from "../../../src/protocol/greeting-style.ts";
import type { Served } from "../../../src/protocol/served.ts";
import { clientHello, EXPORT_NAME, requests } from "../transcript/client-messages.ts";
import { mutate } from "../transcript/mutate.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, Finding, type FuzzTarget } from "../support/fuzz-target.ts";
import { choicesIn, type PlainChoices } from "./client-choices-in.ts";
import { driveDialogue, settled } from "./drive-dialogue.ts";
import { checkServerSpeech, optionsIn } from "./server-speech.ts";

const GEOMETRY: Geometry = {
  sizeBytes: 1 << 20,
  flags: 0x4ed,
  minimumBlockBytes: 1,
  preferredBlockBytes: 4096,
  maximumPayloadBytes: 1 << 25,
  name: EXPORT_NAME,
  description: "of the fuzzer",
  contexts: ["base:allocation", "x-fuzz:mark", "x-ä:\n"],
};
const NAMES = ["", EXPORT_NAME];

/** What the export's opener throws; it must come out of the handshake as it is. */
class OpeningFailed extends Error {
  override readonly name = "OpeningFailed";
}

/** The server's side of the handshake, in every style, against clients that mean no good. */
export const serverHandshakeTarget: FuzzTarget = {
  name: "server-handshake",
  role: "client",
  level: "parser",
  run(random, size) {
    const style = random.pick<GreetingStyle>(["newstyle", "newstyle", "auto", "oldstyle"]);
    const messages = [...clientHello(random, size), ...requests(random, { sizeBytes: 1 << 20, longestBytes: 99 }, 2)];
    const bytes = Buffer.concat(mutate(messages, random, random.integer(size + 1)).map((one) => one.bytes));
    const failing = random.chance(0.02);
    const served: Served = { geometry: { ...GEOMETRY, minimumBlockBytes: random.pick([1, 1024]) } };
    const exports = {
      list: () => settled({ value: [{ name: EXPORT_NAME, description: "of the fuzzer" }] }),
      open: (name: string) =>
        failing
          ? settled<Served | undefined>({ error: new OpeningFailed("the disk is gone") })
          : settled({ value: NAMES.includes(name) ? served : undefined }),
    };
    const driven = driveDialogue(greetClient(style, { exports, limits: LIMITS }), bytes, {
      readBytes: LIMITS.optionBytes,
      skipBytes: LIMITS.optionSkipBytes,
    });
    const { ending, sent } = driven;
    if (ending.kind === "threw") checkError(ending.error, ["ProtocolViolation", "HandshakeRefused", "OpeningFailed"]);
    if (ending.kind === "returned" && ending.result !== undefined) {
      expectThat(ending.result.opened === served, "served something else");
      checkChoices(ending.result, style === "oldstyle" ? undefined : choicesIn(bytes, { names: NAMES, ...GEOMETRY }));
    }
    if (style !== "oldstyle") {
      if (sent.length > 0) checkServerSpeech(sent, optionsIn(bytes));
      else if (!failing) throw new Finding("did not greet");
    } else expectThat(sent.length === (failing ? 0 : 152), `an old-style hello of ${sent.length} bytes`);
  },
};

/** What was agreed on must be what the client said, read in the plainest way. */
function checkChoices({ structuredReplies, contexts }: Agreement<Served>, said: PlainChoices | undefined): void {
  expectThat(structuredReplies === (said?.structuredReplies ?? false), `structured replies: ${structuredReplies}`);
  const names = contexts.map(({ name }) => name);
  expectThat(names.join("\0") === (said?.contexts ?? []).join("\0"), `agreed on the contexts ${names.join()}`);
  const ids = new Set(contexts.map(({ id }) => id));
  expectThat(ids.size === contexts.length && !ids.has(0), "ids that are 0 or not unique");
}
