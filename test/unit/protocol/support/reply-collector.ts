import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

import type { ByteSource } from "../../../../src/protocol/byte-source.ts";
import type { ChunkError } from "../../../../src/protocol/chunk-error.ts";
import { ProtocolViolation } from "../../../../src/protocol/protocol-violation.ts";
import type { ReplyDecoder, ReplySink } from "../../../../src/protocol/reply-decoder.ts";
import type { WireChunk, WireReply } from "../../support/naive-codec.ts";

/** Bytes that can be decoded, and looked at. */
export interface BufferSource extends ByteSource {
  readonly bytes: Buffer;
}

/** What a decoder found, put together again. */
export type Found =
  | ({ readonly kind: "simple" } & WireReply)
  | ({ readonly kind: "chunk"; readonly cookie: bigint; readonly done: boolean } & FoundContent);

type FoundContent =
  | { readonly content: "none" }
  | { readonly content: "data"; readonly offset: number; readonly data: Buffer }
  | { readonly content: "hole"; readonly offset: number; readonly length: number }
  | { readonly content: "status"; readonly id: number; readonly extents: Buffer }
  | ({ readonly content: "error" } & ChunkError);

/** The cookie that nobody waits for. */
export const UNKNOWN_COOKIE = 0xdeadn;

/** How much data belongs to a simple reply with this cookie. */
export function dataBytes(cookie: bigint): number {
  return Number(cookie & 0xffn);
}

/** Puts the pieces of every reply and chunk together, and sees to it that the calls of the decoder make sense. */
export class ReplyCollector implements ReplySink<BufferSource> {
  readonly found: Found[] = [];
  #simple: Omit<WireReply, "data"> | undefined;
  #chunk: { readonly cookie: bigint; readonly done: boolean } | undefined;
  #content: FoundContent | undefined;
  readonly #bytes: Buffer[] = [];
  #owed = 0;

  reply(error: number, cookieHigh: number, cookieLow: number, source: BufferSource, at: number): number {
    insist(source.view.getUint32(at) === 0x67446698, "a simple reply where there is none");
    const cookie = this.#begin(cookieHigh, cookieLow);
    this.#simple = { error, cookie };
    this.#owed = error === 0 ? dataBytes(cookie) : 0;
    return this.#owed;
  }

  chunk(cookieHigh: number, cookieLow: number, done: boolean, source: BufferSource, at: number): void {
    insist(source.view.getUint32(at) === 0x668e33ef, "a chunk where there is none");
    this.#chunk = { cookie: this.#begin(cookieHigh, cookieLow), done };
  }

  dataChunk(offset: number, lengthBytes: number): void {
    insist(lengthBytes > 0, "data of no bytes");
    this.#owed = lengthBytes;
    this.#say({ content: "data", offset, data: Buffer.alloc(0) });
  }

  holeChunk(offset: number, length: number): void {
    insist(length > 0, "a hole of no bytes");
    this.#say({ content: "hole", offset, length });
  }

  statusChunk(id: number, extents: number): void {
    insist(extents > 0, "no extents");
    this.#owed = 8 * extents;
    this.#say({ content: "status", id, extents: Buffer.alloc(0) });
  }

  errorChunk(error: ChunkError): void {
    this.#say({ content: "error", ...error });
  }

  data(source: BufferSource, start: number, end: number): void {
    insist((this.#content?.content ?? "data") === "data", "data of something that has none");
    this.#take(source, start, end);
  }

  extents(source: BufferSource, start: number, end: number): void {
    insist(this.#content?.content === "status" && (end - start) % 8 === 0, "no whole extents");
    this.#take(source, start, end);
  }

  replyEnd(): void {
    insist(this.#owed === 0, "a reply ended before it was whole");
    const bytes = Buffer.concat(this.#bytes.splice(0));
    if (this.#simple !== undefined) this.found.push({ kind: "simple", ...this.#simple, data: bytes });
    else if (this.#chunk === undefined) throw new Error("a reply ended that did not begin");
    else this.found.push({ kind: "chunk", ...this.#chunk, ...filled(this.#content ?? { content: "none" }, bytes) });
    this.#simple = undefined;
    this.#chunk = undefined;
    this.#content = undefined;
  }

  #begin(cookieHigh: number, cookieLow: number): bigint {
    insist(this.#simple === undefined && this.#chunk === undefined, "a reply began inside another");
    const cookie = (BigInt(cookieHigh) << 32n) | BigInt(cookieLow);
    if (cookie === UNKNOWN_COOKIE) throw new ProtocolViolation("nobody waits for that");
    return cookie;
  }

  #say(content: FoundContent): void {
    insist(this.#chunk !== undefined, "content without a chunk");
    insist(this.#content === undefined, "two contents in one chunk");
    this.#content = content;
  }

  #take(source: BufferSource, start: number, end: number): void {
    insist(end > start, "no bytes at all");
    this.#owed -= end - start;
    insist(this.#owed >= 0, "more bytes than belong to a reply");
    this.#bytes.push(Buffer.from(source.bytes.subarray(start, end)));
  }
}

/** What a decoder should find for messages that a naive parser has taken apart. */
export function expected(messages: readonly (WireReply | WireChunk)[]): Found[] {
  return messages.map((message) => {
    if ("error" in message) return { kind: "simple", ...message };
    const { flags, cookie } = message;
    return { kind: "chunk", cookie, done: (flags & 1) === 1, ...contentOf(message) };
  });
}

/** Decodes bytes as they arrive in these pieces, keeping what is left over as a reader would; returns what is left at the end. */
export function decodePieces(decoder: ReplyDecoder<BufferSource>, pieces: readonly Buffer[]): Buffer {
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    rest = bytes.subarray(decoder.decode({ bytes, view }, 0, bytes.length));
  }
  return rest;
}

function filled(content: FoundContent, bytes: Buffer): FoundContent {
  if (content.content === "data") return { ...content, data: bytes };
  return content.content === "status" ? { ...content, extents: bytes } : content;
}

function contentOf({ type, payload }: WireChunk): FoundContent {
  if (type === 0) return { content: "none" };
  if (type === 1) return { content: "data", offset: Number(payload.readBigUInt64BE()), data: payload.subarray(8) };
  if (type === 2) {
    return { content: "hole", offset: Number(payload.readBigUInt64BE()), length: payload.readUInt32BE(8) };
  }
  if (type === 5) return { content: "status", id: payload.readUInt32BE(), extents: payload.subarray(4) };
  const end = 6 + payload.readUInt16BE(4);
  const offset = type === 0x8002 ? Number(payload.readBigUInt64BE(end)) : undefined;
  return { content: "error", error: payload.readUInt32BE(), text: payload.toString("utf8", 6, end), offset };
}

/** Expects what `toEqual` expects; there are so many ways to cut bytes that it may not take long. */
export function expectSame(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted);
}

function insist(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
