import { describe, expect, it } from "vitest";

import { encodeStatusChunk, statusChunkSizeBytes } from "../../../src/protocol/status-chunk.ts";
import { statusChunkBytes } from "../support/naive-codec.ts";

describe("encodeStatusChunk", () => {
  it("writes extents big-endian, whatever the machine is, and nothing around them", () => {
    const extents = Uint32Array.of(0x0102_0304, 0, 0xffff_ffff, 0x8000_0003);
    expect(statusChunkSizeBytes(extents)).toBe(40);
    const bytes = Buffer.alloc(50, 0x2d);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    encodeStatusChunk(view, 5, { cookieHigh: 1, cookieLow: 0x8000_0002, done: true }, 0xfffe_0001, extents);
    const pairs = [
      [0x0102_0304, 0],
      [0xffff_ffff, 0x8000_0003],
    ] as const;
    const chunk = statusChunkBytes({ cookie: 0x1_8000_0002n, id: 0xfffe_0001, extents: pairs });
    expect(bytes).toEqual(Buffer.concat([Buffer.alloc(5, 0x2d), chunk, Buffer.alloc(5, 0x2d)]));
  });

  it("marks the last chunk only", () => {
    const extents = Uint32Array.of(1, 0);
    const bytes = Buffer.alloc(statusChunkSizeBytes(extents));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    encodeStatusChunk(view, 0, { cookieHigh: 0, cookieLow: 1, done: false }, 3, extents);
    expect(bytes).toEqual(statusChunkBytes({ cookie: 1n, done: false, id: 3, extents: [[1, 0]] }));
  });
});
