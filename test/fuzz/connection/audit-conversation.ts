import { expectThat } from "../support/fuzz-target.ts";
import { type AgreedStyle, auditReplies } from "./audit-replies.ts";
import type { Asked } from "./chunked-answer.ts";

const WRITE = 1;
const DISC = 2;

/** Where a conversation stands. */
export interface Conversation {
  /** The server greeted. */
  readonly greeted: boolean;
  /** The handshake is done. */
  readonly transmission: boolean;
  /** A request was begun and is not whole. */
  readonly midMessage: boolean;
  /** DISC was said, and everything before it makes sense. */
  readonly tookLeave: boolean;
  readonly unanswered: number;
}

/**
 * Reads a whole conversation, all that was received from a client and all that it was told, in the plainest way, and says no
 * when an answer has no question, no sense, or the wrong data.
 */
export function auditConversation(input: Buffer, output: Buffer): Conversation {
  const start = handshakeEnd(input, output);
  if (start === undefined) {
    const nothing = { transmission: false, midMessage: false, tookLeave: false, unanswered: 0 };
    return { greeted: output.length > 0, ...nothing };
  }
  const { asked, midMessage, tookLeave } = requestsIn(input.subarray(start.input));
  const unanswered = auditReplies(output.subarray(start.output), asked, start.style);
  return { greeted: true, transmission: true, midMessage, tookLeave, unanswered };
}

/** Where transmission begins, on both sides, and how answers are given from there on. */
interface Beginning {
  readonly input: number;
  readonly output: number;
  readonly style: AgreedStyle;
}

function handshakeEnd(input: Buffer, output: Buffer): Beginning | undefined {
  if (output.length === 0) return undefined;
  if (output.length >= 16 && output.toString("latin1", 8, 16) !== "IHAVEOPT") {
    return output.length >= 152
      ? { input: 0, output: 152, style: { structured: false, contexts: new Map() } }
      : undefined;
  }
  const agreed = new Agreed();
  let said = 18;
  for (let at = 4; at + 16 <= input.length && input.toString("latin1", at, at + 8) === "IHAVEOPT";) {
    const option = input.readUInt32BE(at + 8);
    const end = at + 16 + input.readUInt32BE(at + 12);
    const data = input.subarray(at + 16, end);
    if (option === 1) {
      const lengthBytes = (input.readUInt32BE(0) & 2) === 0 ? 134 : 10;
      const style = agreed.styleFor(data.toString("utf8"));
      return output.length >= said + lengthBytes ? { input: end, output: said + lengthBytes, style } : undefined;
    }
    agreed.asked(option, data);
    for (let last = false; !last;) {
      if (output.length < said + 20) return undefined;
      expectThat(output.toString("hex", said, said + 8) === "0003e889045565a9", "a malformed option reply");
      expectThat(output.readUInt32BE(said + 8) === option, "a reply to another option");
      const type = output.readUInt32BE(said + 12);
      last = type === 1 || type >= 0x80000000;
      const from = said + 20;
      said = from + output.readUInt32BE(said + 16);
      if (output.length >= said) agreed.answered(option, type, output.subarray(from, said));
      if (type !== 1 || option !== 7) continue;
      const style = agreed.styleFor(textIn(data));
      return output.length >= said ? { input: end, output: said, style } : undefined;
    }
    at = end;
  }
  return undefined;
}

/** What a client and a server have agreed on, as one sees it who hears both. */
class Agreed {
  #structured = false;
  #exportName = "";
  #contexts = new Map<number, string>();

  asked(option: number, data: Buffer): void {
    if (option !== 10) return;
    this.#exportName = textIn(data);
    this.#contexts = new Map();
  }

  answered(option: number, type: number, data: Buffer): void {
    if (option === 8 && type === 1) this.#structured = true;
    if (option === 10 && type === 4) this.#contexts.set(data.readUInt32BE(0), data.toString("utf8", 4));
  }

  styleFor(exportName: string): AgreedStyle {
    const contexts = exportName === this.#exportName ? this.#contexts : new Map<number, string>();
    return { structured: this.#structured, contexts };
  }
}

/** The string at the beginning of an option's data, behind its length. */
function textIn(data: Buffer): string {
  return data.length < 4 ? "" : data.toString("utf8", 4, 4 + data.readUInt32BE(0));
}

/** The whole requests by cookie, in order. */
function requestsIn(bytes: Buffer): { asked: Map<string, Asked[]>; midMessage: boolean; tookLeave: boolean } {
  const asked = new Map<string, Asked[]>();
  let at = 0;
  while (bytes.length - at >= 28) {
    if (bytes.readUInt32BE(at) !== 0x25609513) return { asked, midMessage: false, tookLeave: false };
    const command = bytes.readUInt16BE(at + 6);
    const length = bytes.readUInt32BE(at + 24);
    if (command === DISC) return { asked, midMessage: false, tookLeave: true };
    const end = at + 28 + (command === WRITE ? length : 0);
    if (end > bytes.length) return { asked, midMessage: true, tookLeave: false };
    const cookie = bytes.toString("hex", at + 8, at + 16);
    const list = asked.get(cookie) ?? [];
    list.push({ command, flags: bytes.readUInt16BE(at + 4), offset: Number(bytes.readBigUInt64BE(at + 16)), length });
    asked.set(cookie, list);
    at = end;
  }
  return { asked, midMessage: at < bytes.length, tookLeave: false };
}
