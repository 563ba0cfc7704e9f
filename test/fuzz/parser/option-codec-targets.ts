import { escapeText } from "../../../src/protocol/escape-bytes.ts";
import { decodeOldstyleHello } from "../../../src/protocol/oldstyle-hello.ts";
import { decodeExportQuery, encodeExportQuery } from "../../../src/protocol/option-export-query.ts";
import { geometryFrom } from "../../../src/protocol/option-findings.ts";
import { decodeOptionHeader } from "../../../src/protocol/option-header.ts";
import {
  decodeExportFields,
  decodeInformation,
  encodeExportFields,
  encodeInformation,
} from "../../../src/protocol/option-information.ts";
import { decodeMetadataContext, encodeMetadataContext } from "../../../src/protocol/option-metadata-context.ts";
import { decodeMetadataQuery, encodeMetadataQuery } from "../../../src/protocol/option-metadata-query.ts";
import { decodeOptionReplyHeader, optionReplyName } from "../../../src/protocol/option-reply.ts";
import { decodeText } from "../../../src/protocol/option-text.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { anyContext, exportQuery, go, metadataQuery } from "../transcript/client-messages.ts";
import { message, type Message, u16, u32, u64 } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { contextData, oldstyleHello, optionReply } from "../transcript/server-messages.ts";
import { checkError, checkText } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";
import { checkGeometry } from "./check-geometry.ts";

const SIMPLE = { structured: false, contexts: [] } as const;

/** What a client puts into options. */
export const optionCodecTarget: FuzzTarget = {
  name: "option-codecs",
  role: "client",
  level: "parser",
  run(random, size) {
    if (random.chance(0.3)) {
      const header = changed(go(random, "disk"), random, size);
      if (header.length >= 16) refusable(() => decodeOptionHeader(header.subarray(0, 16)));
      return;
    }
    const name = random.pick(["", "disk", "ä\u0000", "x".repeat(random.integer(5000))]);
    if (random.chance(0.4)) {
      const names = Array.from({ length: random.integer(random.chance(0.1) ? 300 : 5) }, () => anyContext(random));
      const asked = changed(message(...metadataQuery(name, names)), random, size);
      const read = decodeMetadataQuery(asked);
      if (read !== undefined) expectThat(encodeMetadataQuery(read).equals(asked), "contexts were read otherwise");
      return;
    }
    const types = Array.from({ length: random.integer(300) }, (_, index) => index);
    const data = changed(message(...exportQuery(name, types)), random, size);
    const query = decodeExportQuery(data);
    if (query !== undefined) expectThat(encodeExportQuery(query).equals(data), "a query was read otherwise than it is");
    checkTextCodec(data);
  },
};

/** What a server puts into option replies, and its old-style hello. */
export const informationCodecTarget: FuzzTarget = {
  name: "information-codecs",
  role: "server",
  level: "parser",
  run(random, size) {
    const data = changed(anyInformation(random), random, size);
    const information = refusable(() => decodeInformation(data));
    if (information !== undefined && information.type !== "unknown") {
      const unfit = "text" in information && information.text === undefined;
      if (!unfit) expectThat(encodeInformation(information).equals(data), "information was read otherwise than it is");
      if (information.type === 0) checkGeometry(geometryFrom(information, {}));
      if (information.type === 3) checkGeometry(geometryFrom({ sizeBytes: 0, flags: 1 }, { blockSizes: information }));
    }
    const hello = changed(oldstyleHello({ sizeBytes: 1 << 20, flags: 3, blocks: undefined, ...SIMPLE }), random, size);
    if (hello.length >= 152) refusable(() => checkGeometry(decodeOldstyleHello(hello.subarray(0, 152))));
    const context = changed(message(...contextData(random.integer(2 ** 32), anyContext(random))), random, size);
    const decoded = refusable(() => decodeMetadataContext(context));
    const name = decoded?.name;
    if (decoded !== undefined && name !== undefined) {
      expectThat(
        encodeMetadataContext({ ...decoded, name }).equals(context),
        "a context was read otherwise than it is",
      );
    }
    const reply = changed(optionReply(7, 1), random, size);
    if (reply.length < 20) return;
    const header = refusable(() => decodeOptionReplyHeader(reply.subarray(0, 20)));
    if (header !== undefined) checkText(optionReplyName(header.type));
    const fields = refusable(() => decodeExportFields(reply.subarray(8, 18)));
    if (fields !== undefined) expectThat(encodeExportFields(fields).equals(reply.subarray(8, 18)), "other fields");
  },
};

function anyInformation(random: SeededRandom): Message {
  switch (random.integer(4)) {
    case 0:
      return message(u16(0), u64(random.pick([0, 1 << 20, 2 ** 53 - 1])), u16(0x4ed));
    case 1:
      return message(u16(random.pick([1, 2])), Buffer.from("naïve ".repeat(random.integer(700))));
    case 2:
      return message(u16(3), u32(random.pick([1, 512, 65_536])), u32(65_536), u32(random.pick([1 << 25, 0xffffffff])));
    default:
      return message(u16(random.integer(65_536)), Buffer.alloc(random.integer(30)));
  }
}

function changed(original: Message, random: SeededRandom, size: number): Buffer {
  return Buffer.concat(mutate([original], random, random.integer(size + 1)).map((one) => one.bytes));
}

/** A decoder may refuse, in the one way in which decoders do. */
function refusable<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    checkError(error, ["ProtocolViolation"]);
    return undefined;
  }
}

function checkTextCodec(bytes: Buffer): void {
  const text = decodeText(bytes);
  if (text !== undefined) {
    expectThat(Buffer.from(text).equals(bytes), "a text was read otherwise than it is");
    expectThat(bytes.length <= 4096 && !text.includes("\0"), "no text of the protocol");
  }
  const escaped = escapeText(bytes.toString("utf8"));
  checkText(escaped);
  expectThat(escaped.length <= 200, `an escaped text of ${escaped.length} characters`);
}
