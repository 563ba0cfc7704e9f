import type { Disk, DiskHandle, Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import { COMMAND, DATA_CHUNK_HEADER_BYTES, EXTENT_BYTES, SIMPLE_REPLY_HEADER_BYTES } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import type { Agreement } from "../protocol/agreement.ts";
import type { BatchedWriter } from "../transport/batched-writer.ts";
import type { ClientRequest } from "./client-request.ts";
import { ReplyOutlet } from "./reply-outlet.ts";
import type { ReplyWriter } from "./reply-writer.ts";
import { carriesData, checkRequest, flagsBelow } from "./request-check.ts";
import { SimpleReplyWriter } from "./simple-reply-writer.ts";
import { StructuredReplyWriter } from "./structured-reply-writer.ts";

/** What a client has from its negotiation on: a disk, what it may ask of it, and the way in which it is answered. */
export class Attachment {
  /** The one that the client was told; the disk is not replaced while somebody uses it. */
  readonly #geometry: Geometry;
  readonly #agreement: Agreement<Disk>;
  readonly #replies: ReplyWriter;
  #handle: DiskHandle | undefined;

  /** Begins to use the disk. Replies leave through `writer`. */
  constructor(agreement: Agreement<Disk>, writer: BatchedWriter) {
    const { opened, structuredReplies, contexts } = agreement;
    const out = new ReplyOutlet(writer);
    this.#agreement = agreement;
    this.#geometry = opened.geometry;
    this.#replies = structuredReplies ? new StructuredReplyWriter(out, contexts) : new SimpleReplyWriter(out);
    this.#handle = opened.attach({
      onReset: () => undefined,
      contexts: contexts.map(({ name }) => name),
      replyHeaderBytes: structuredReplies ? DATA_CHUNK_HEADER_BYTES : SIMPLE_REPLY_HEADER_BYTES,
    });
  }

  /** The `NBD_ERROR` that a request is refused with; 0 when it may go to the disk. */
  refusal(header: Readonly<RequestHeader>): number {
    return checkRequest(header, this.#geometry, this.#agreement);
  }

  /** How much memory a request and its reply may take, in bytes. */
  sizeBytes({ command, length }: Readonly<RequestHeader>): number {
    if (command === COMMAND.BLOCK_STATUS) {
      return LIMITS.statusExtents * EXTENT_BYTES * this.#geometry.contexts.length;
    }
    return carriesData(command) ? length : 0;
  }

  /** Gives the disk a request that is not refused. */
  submit(request: ClientRequest): void {
    request.flags = flagsBelow(request, this.#geometry, this.#agreement);
    this.#handle?.submit(request);
  }

  /** Sends a reply. */
  reply(reply: Reply, request: ClientRequest): void {
    this.#replies.write(reply, request);
  }

  /** Uses the disk no more. */
  close(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    handle?.close();
  }
}
