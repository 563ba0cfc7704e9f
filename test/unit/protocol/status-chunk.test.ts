import { describe, expect, it } from "vitest";

import { encodeStatusChunk, statusChunkBytes } from "../../../src/protocol/status-chunk.ts";
import { chunkBytes, statusPayload } from "../support/naive-chunks.ts";

describe("encodeStatusChunk", () => {
  it("writes extents big-endian, whatever the machine is, and nothing around them", () => {
    const extents = Uint32Array.of(0x0102_0304, 0, 0xffff_ffff, 0x8000_0003);
    expect(statusChunkBytes(extents)).toBe(40);
    const bytes = Buffer.alloc(50, 0x2d);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    encodeStatusChunk(view, 5, { cookieHigh: 1, cookieLow: 0x8000_0002, done: true }, 0xfffe_0001, extents);
    const payload = statusPayload(0xfffe_0001, [0x0102_0304, 0], [0xffff_ffff, 0x8000_0003]);
    const chunk = chunkBytes({ type: 5, flags: 1, cookie: 0x1_8000_0002n, payload });
    expect(bytes).toEqual(Buffer.concat([Buffer.alloc(5, 0x2d), chunk, Buffer.alloc(5, 0x2d)]));
  });

  it("marks the last chunk only", () => {
    const extents = Uint32Array.of(1, 0);
    const bytes = Buffer.alloc(statusChunkBytes(extents));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    encodeStatusChunk(view, 0, { cookieHigh: 0, cookieLow: 1, done: false }, 3, extents);
    expect(bytes).toEqual(chunkBytes({ type: 5, cookie: 1n, payload: statusPayload(3, [1, 0]) }));
  });
});
