import { describe, expect, it } from "vitest";

import { Attachment } from "../../../src/downstream/attachment.ts";
import { ClientRequest } from "../../../src/downstream/client-request.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import { BatchedWriter } from "../../../src/transport/batched-writer.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { doneBytes, replyBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";

const ALLOCATION = { id: 1, name: "base:allocation" };
const DIRTY = { id: 2, name: "qemu:dirty" };
const SIMPLE = { structuredReplies: false, contexts: [] };
const STRUCTURED = { structuredReplies: true, contexts: [ALLOCATION] };

function header(fields: Partial<RequestHeader> = {}): RequestHeader {
  return { flags: 0, command: COMMAND.READ, cookieHigh: 0, cookieLow: 5, offset: 0, length: 512, ...fields };
}

function attach(agreed: typeof SIMPLE | typeof STRUCTURED, fields: Partial<Geometry> = {}) {
  const disk = new HeldDisk(fields);
  const stream = new FakeStream();
  const writer = new BatchedWriter(stream, { batchWaits: () => undefined, batchLeft: () => undefined });
  const attachment = new Attachment({ opened: disk, ...agreed }, writer);
  const request = (asked: RequestHeader): ClientRequest =>
    new ClientRequest({ answer: () => undefined }, asked, 0, new Slab(Buffer.alloc(64)), 0);
  return { disk, stream, attachment, request };
}

describe("Attachment", () => {
  it("tells the disk which contexts its client selected, and what its replies need", () => {
    expect(attach({ structuredReplies: true, contexts: [ALLOCATION, DIRTY] }).disk.users).toMatchObject([
      { contexts: ["base:allocation", "qemu:dirty"], replyHeaderBytes: 28 },
    ]);
    expect(attach(SIMPLE).disk.users).toMatchObject([{ contexts: [], replyHeaderBytes: 16 }]);
  });

  it("asks the disk for its geometry once", () => {
    let asked = 0;
    const below = new HeldDisk();
    const disk = {
      get geometry() {
        asked += 1;
        return below.geometry;
      },
      attach: below.attach.bind(below),
    };
    const writer = new BatchedWriter(new FakeStream(), { batchWaits: () => undefined, batchLeft: () => undefined });
    const attachment = new Attachment({ opened: disk, ...STRUCTURED }, writer);
    for (let count = 0; count < 10; count += 1) {
      attachment.refusal(header());
      attachment.sizeBytes(header({ command: COMMAND.BLOCK_STATUS }));
    }
    expect(asked).toBe(1);
  });

  it("refuses by the geometry and by what was agreed on", () => {
    const { attachment } = attach(STRUCTURED, { sizeBytes: 1024 });
    expect(attachment.refusal(header({ flags: COMMAND_FLAG.DF }))).toBe(0);
    expect(attachment.refusal(header({ offset: 1000 }))).toBe(NBD_ERROR.EINVAL);
    expect(attach(SIMPLE).attachment.refusal(header({ flags: COMMAND_FLAG.DF }))).toBe(NBD_ERROR.EINVAL);
  });

  it("counts data that is carried, and for block status the room of every context that the disk has", () => {
    const { attachment } = attach(STRUCTURED, { contexts: ["base:allocation", "qemu:dirty", "x:y"] });
    const size = (command: number): number => attachment.sizeBytes(header({ command }));
    expect([COMMAND.READ, COMMAND.WRITE].map(size)).toEqual([512, 512]);
    expect([COMMAND.FLUSH, COMMAND.TRIM, COMMAND.CACHE, COMMAND.WRITE_ZEROES].map(size)).toEqual([0, 0, 0, 0]);
    expect(size(COMMAND.BLOCK_STATUS)).toBe(LIMITS.statusExtents * 8 * 3);
  });

  it("has reads of simple clients answered in one chunk where the disk can do that", () => {
    const flags = ALL_FLAGS | TRANSMISSION_FLAG.SEND_DF;
    const simple = attach(SIMPLE, { flags });
    simple.attachment.submit(simple.request(header()));
    const structured = attach(STRUCTURED, { flags });
    structured.attachment.submit(structured.request(header()));
    expect([simple, structured].map(({ disk }) => disk.held[0]?.flags)).toEqual([COMMAND_FLAG.DF, 0]);
  });

  it("answers in the way that was agreed on", async () => {
    const simple = attach(SIMPLE);
    const structured = attach(STRUCTURED);
    for (const { attachment, request } of [simple, structured])
      attachment.reply({ error: 0, pieces: [], room: undefined }, request(header({ length: 0 })));
    await settle();
    expect(simple.stream.heard).toEqual(replyBytes({ cookie: 5n }));
    expect(structured.stream.heard).toEqual(doneBytes(5n));
  });

  it("closes its handle once", () => {
    const { attachment, disk, request } = attach(SIMPLE);
    attachment.close();
    attachment.close();
    expect(disk.closedHandles).toBe(1);
    attachment.submit(request(header()));
    expect(disk.held).toEqual([]);
  });
});
