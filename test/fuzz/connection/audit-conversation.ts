import { expectThat } from "../support/fuzz-target.ts";
import { pattern } from "../support/pattern.ts";
import { GUARDED_BYTES } from "./guarded-disk.ts";

const READ = 0;
const WRITE = 1;
const DISC = 2;
const ERRORS: ReadonlySet<number> = new Set([0, 1, 5, 12, 22, 28, 75, 95, 108]);

interface Asked {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
}

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
  auditReplies(output.subarray(start.output), asked);
  const unanswered = [...asked.values()].reduce((sum, list) => sum + list.length, 0);
  return { greeted: true, transmission: true, midMessage, tookLeave, unanswered };
}

/** Where transmission begins, on both sides. */
function handshakeEnd(input: Buffer, output: Buffer): { input: number; output: number } | undefined {
  if (output.length === 0) return undefined;
  if (output.length >= 16 && output.toString("latin1", 8, 16) !== "IHAVEOPT") {
    return output.length >= 152 ? { input: 0, output: 152 } : undefined;
  }
  let said = 18;
  for (let at = 4; at + 16 <= input.length && input.toString("latin1", at, at + 8) === "IHAVEOPT";) {
    const option = input.readUInt32BE(at + 8);
    const end = at + 16 + input.readUInt32BE(at + 12);
    if (option === 1) {
      const lengthBytes = (input.readUInt32BE(0) & 2) === 0 ? 134 : 10;
      return output.length >= said + lengthBytes ? { input: end, output: said + lengthBytes } : undefined;
    }
    for (let last = false; !last;) {
      if (output.length < said + 20) return undefined;
      expectThat(output.toString("hex", said, said + 8) === "0003e889045565a9", "a malformed option reply");
      expectThat(output.readUInt32BE(said + 8) === option, "a reply to another option");
      const type = output.readUInt32BE(said + 12);
      last = type === 1 || type >= 0x80000000;
      said += 20 + output.readUInt32BE(said + 16);
      if (type === 1 && option === 7) return output.length >= said ? { input: end, output: said } : undefined;
    }
    at = end;
  }
  return undefined;
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
    list.push({ command, offset: Number(bytes.readBigUInt64BE(at + 16)), length });
    asked.set(cookie, list);
    at = end;
  }
  return { asked, midMessage: at < bytes.length, tookLeave: false };
}

/** Takes every answered request off the list. */
function auditReplies(output: Buffer, asked: Map<string, Asked[]>): void {
  for (let at = 0; at + 16 <= output.length;) {
    expectThat(output.readUInt32BE(at) === 0x67446698, "a reply with another magic");
    const error = output.readUInt32BE(at + 4);
    expectThat(ERRORS.has(error), `an error ${error}`);
    const list = asked.get(output.toString("hex", at + 8, at + 16)) ?? [];
    expectThat(list.length > 0, "a reply to nothing");
    // Requests with one cookie in flight together: nobody knows which one was answered when they differ.
    const alike = list.every((one) => one.command === list[0]?.command && one.length === list[0].length);
    if (!alike) {
      asked.clear();
      return;
    }
    const sameRange = list.every((one) => one.offset === list[0]?.offset);
    const { command, offset, length } = list.shift() as Asked;
    at += 16;
    if (error !== 0 || command !== READ) continue;
    if (sameRange) auditData(output.subarray(at, at + length), offset);
    at += length;
  }
}

function auditData(data: Buffer, offset: number): void {
  const guarded = data.subarray(0, Math.max(0, GUARDED_BYTES - offset));
  const right = pattern(offset, guarded.length);
  if (guarded.equals(right)) return;
  const whole = offset + guarded.length > GUARDED_BYTES / 2;
  // The second half is zeros until honest clients write it.
  expectThat(whole && guarded.every((byte, index) => byte === right[index] || byte === 0), `wrong bytes at ${offset}`);
}
