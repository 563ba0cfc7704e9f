import { LIMITS } from "../../../src/limits.ts";
import { clientHandshake, type Negotiation } from "../../../src/protocol/client-handshake.ts";
import { encodeOldstyleHello } from "../../../src/protocol/oldstyle-hello.ts";
import { anyHello } from "../transcript/server-messages.ts";
import { message } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";
import { checkGeometry } from "./check-geometry.ts";
import { driveDialogue } from "./drive-dialogue.ts";

const SEND_DF = 0x80;
const CONTEXTS = [[], ["base:allocation"], ["qemu:dirty-bitmap:ä", "base:allocation", "x-a:\n\u202e"]] as const;
const MINIMA = [1, 512, 4096, 65_536] as const;

/** The client's side of the handshake against servers that mean no good. */
export const clientHandshakeTarget: FuzzTarget = {
  name: "client-handshake",
  role: "server",
  level: "parser",
  run(random, size) {
    const offered = {
      sizeBytes: random.pick([0, 512, 1 << 20, 2 ** 40, 2 ** 53 - 1]),
      flags: random.pick([1, 0xffff, 0x4ed, 0]),
      blocks: random.chance(0.5) ? ([random.pick(MINIMA), 65_536, 1 << 25] as const) : undefined,
    };
    const structured = random.chance(0.7);
    const many = Array.from({ length: random.integer(30) }, (_, index) => `x-many:${index}`);
    const contexts = structured ? random.pick([...CONTEXTS, many]) : [];
    const messages = [
      ...anyHello({ ...offered, structured, contexts }, random),
      message(Buffer.alloc(random.integer(40))),
    ];
    const bytes = Buffer.concat(mutate(messages, random, random.integer(size + 1)).map((one) => one.bytes));
    const exportName = random.pick(["", "", "disk", "ü\u001b[0m"]);
    const dialogue = clientHandshake({ exportName, limits: LIMITS });
    const { ending, sent } = driveDialogue(dialogue, bytes, { readBytes: LIMITS.optionReplyBytes, skipBytes: 124 });
    // It repeats names that it was told, and adds a length to each.
    expectThat(sent.length < 300 + 2 * bytes.length, `said ${sent.length} bytes`);
    if (ending.kind === "threw") checkError(ending.error, ["ProtocolViolation", "HandshakeRefused"]);
    if (ending.kind !== "returned") return;
    checkNegotiation(ending.result, bytes);
  },
};

/** What must be true of every agreement, whatever the server said. */
function checkNegotiation({ geometry, structuredReplies, contextNames }: Negotiation, bytes: Buffer): void {
  checkGeometry(geometry);
  expectThat(structuredReplies || contextNames.size === 0, "contexts without structured replies");
  expectThat(structuredReplies || (geometry.flags & SEND_DF) === 0, "DF without structured replies");
  expectThat([...contextNames.values()].join("\0") === geometry.contexts.join("\0"), "other contexts than selected");
  expectThat(contextNames.size <= LIMITS.contexts, `${contextNames.size} contexts`);
  for (const [id, name] of contextNames) {
    const told = Buffer.concat([Buffer.from([id >>> 24, id >>> 16, id >>> 8, id]), Buffer.from(name)]);
    expectThat(bytes.includes(told), "a context that the server did not name, or not with this id");
  }
  const { oldstyleHello } = geometry;
  if (oldstyleHello === undefined) return;
  expectThat(!structuredReplies, "structured replies in old style");
  expectThat(oldstyleHello.equals(bytes.subarray(0, 152)), "an old-style hello was changed");
  expectThat(encodeOldstyleHello(geometry).equals(oldstyleHello), "an old-style hello is repeated otherwise");
}
