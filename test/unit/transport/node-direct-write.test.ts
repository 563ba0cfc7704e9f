import { closeSync, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { devNull } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { writeDirectly } from "../../../src/transport/node-direct-write.ts";
import { Fifo } from "../support/fifo.ts";

/** A socket of which only the descriptor counts; it notes what it is destroyed with. */
class DescriptorSocket extends Socket {
  readonly brokenBy: unknown[] = [];
  readonly _handle: { readonly fd: number };

  constructor(fd: number) {
    super();
    this._handle = { fd };
  }

  override destroy(error = new Error("none")): this {
    this.brokenBy.push((error as NodeJS.ErrnoException).code);
    return this;
  }
}

describe("writing directly", () => {
  let fifo: Fifo;
  let socket: DescriptorSocket;

  beforeEach(() => {
    fifo = new Fifo();
    socket = new DescriptorSocket(fifo.writeFd);
  });

  afterEach(() => {
    fifo.remove();
  });

  it("hands over all chunks at once", () => {
    expect(writeDirectly(socket, [Buffer.from("hel"), Buffer.from("lo")])).toBe(5);
    const read = Buffer.alloc(10);
    expect(read.toString("latin1", 0, readSync(fifo.readFd, read))).toBe("hello");
  });

  it("takes nothing, and breaks nothing, when the system is full", () => {
    const chunk = Buffer.alloc(4096);
    let taken = 0;
    for (let count = writeDirectly(socket, [chunk]); count > 0; count = writeDirectly(socket, [chunk])) taken += count;
    expect(taken).toBeGreaterThan(0);
    expect(socket.brokenBy).toEqual([]);
  });

  it("destroys the socket with the system's error when the connection is broken", () => {
    fifo.closeReadEnd();
    expect(writeDirectly(socket, [Buffer.from("hello")])).toBe(0);
    expect(socket.brokenBy).toEqual(["EPIPE"]);
  });

  it("leaves it to the socket where there is no descriptor to write to", () => {
    const notToWrite = new DescriptorSocket(openSync(devNull, "r"));
    expect(writeDirectly(notToWrite, [Buffer.from("hello")])).toBe(0);
    expect(writeDirectly(new DescriptorSocket(-1), [Buffer.from("hello")])).toBe(0);
    expect(notToWrite.brokenBy).toEqual([]);
    closeSync(notToWrite._handle.fd);
  });
});
