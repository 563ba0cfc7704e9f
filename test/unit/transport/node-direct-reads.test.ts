import { closeSync, openSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { DirectRead, DirectReads } from "../../../src/transport/node-direct-reads.ts";
import { Fifo } from "../support/fifo.ts";

describe("direct reads", () => {
  let fifo: Fifo;

  beforeEach(() => {
    fifo = new Fifo();
  });

  afterEach(() => {
    fifo.remove();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("read what is there, and return 0 when nothing is", () => {
    const read = DirectReads.find()?.of(fifo.readFd);
    expect(read?.read()).toBe(0);
    writeSync(fifo.writeFd, "hello");
    expect(read?.read()).toBe(5);
    expect(read?.bytes.toString("latin1", 0, 5)).toBe("hello");
    expect(read?.read()).toBe(0);
  });

  it("leave what is longer than a look for the next one", () => {
    const read = DirectReads.find()?.of(fifo.readFd);
    writeSync(fifo.writeFd, Buffer.alloc(LIMITS.closeLookBytes + 3));
    expect([read?.read(), read?.read(), read?.read()]).toEqual([LIMITS.closeLookBytes, 3, 0]);
  });

  it("can't do anything with a descriptor that is not open", () => {
    const direct = DirectReads.find();
    const gone = openSync(devNull, "r");
    const read = direct?.of(gone);
    closeSync(gone);
    expect(read?.read()).toBeUndefined();
    expect(direct?.of(gone)).toBeUndefined();
  });

  it("let others have the processor without any descriptor", () => {
    const direct = DirectReads.find();
    expect(() => direct?.giveWay()).not.toThrow();
  });

  it("say nothing of being experimental, and let others say so", () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    expect(DirectReads.find()).toBeDefined();
    expect(emitWarning).not.toHaveBeenCalled();
    process.emitWarning("something else");
    expect(emitWarning).toHaveBeenCalledTimes(1);
  });

  it("do without on a Node.js that has no such thing, or may not do it", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(DirectReads.find()).toBeUndefined();
    vi.unstubAllGlobals();
    vi.spyOn(process, "getBuiltinModule").mockImplementation(() => {
      throw new Error("not here");
    });
    expect(DirectReads.find()).toBeUndefined();
  });

  describe("when the system has an error", () => {
    /** What is read when WASI says that number. */
    function readWith(error: number): number | undefined {
      const calls = { fd_read: () => error, sched_yield: () => 0 };
      return new DirectRead(calls, new Uint32Array(16), Buffer.alloc(16)).read();
    }

    it.each([6, 27])("find nothing yet (%i)", (error) => {
      expect(readWith(error)).toBe(0);
    });

    it.each([8, 76])("can't read there (%i)", (error) => {
      expect(readWith(error)).toBeUndefined();
    });

    const broken: readonly [number, string][] = [
      [13, "ECONNABORTED"],
      [14, "ECONNREFUSED"],
      [15, "ECONNRESET"],
      [23, "EHOSTUNREACH"],
      [38, "ENETDOWN"],
      [39, "ENETRESET"],
      [40, "ENETUNREACH"],
      [50, "ENOPROTOOPT"],
      [73, "ETIMEDOUT"],
      // WASI's word for what it has no number for; and EPIPE, which would mean that the other side has closed.
      [52, "EIO"],
      [64, "EIO"],
    ];
    it.each(broken)("tell why the connection broke (%i)", (error, code) => {
      expect(() => readWith(error)).toThrow(
        expect.objectContaining({ code, syscall: "read", message: `read ${code}` }),
      );
    });
  });
});
