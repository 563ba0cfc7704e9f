import { LIMITS } from "../../../src/limits.ts";
import { clientHandshake } from "../../../src/protocol/client-handshake.ts";
import { encodeOldstyleHello } from "../../../src/protocol/oldstyle-hello.ts";
import { anyHello } from "../transcript/server-messages.ts";
import { message } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";
import { checkGeometry } from "./check-geometry.ts";
import { driveDialogue } from "./drive-dialogue.ts";

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
    const messages = [...anyHello(offered, random), message(Buffer.alloc(random.integer(40)))];
    const bytes = Buffer.concat(mutate(messages, random, random.integer(size + 1)).map((one) => one.bytes));
    const exportName = random.pick(["", "", "disk", "ü\u001b[0m"]);
    const dialogue = clientHandshake({ exportName, limits: LIMITS });
    const { ending, sent } = driveDialogue(dialogue, bytes, { readBytes: LIMITS.optionReplyBytes, skipBytes: 124 });
    expectThat(sent.length < 200, `said ${sent.length} bytes`);
    if (ending.kind === "threw") checkError(ending.error, ["ProtocolViolation", "HandshakeRefused"]);
    if (ending.kind !== "returned") return;
    checkGeometry(ending.result);
    const { oldstyleHello } = ending.result;
    if (oldstyleHello === undefined) return;
    expectThat(oldstyleHello.equals(bytes.subarray(0, 152)), "an old-style hello was changed");
    expectThat(encodeOldstyleHello(ending.result).equals(oldstyleHello), "an old-style hello is repeated otherwise");
  },
};
