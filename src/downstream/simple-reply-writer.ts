import type { Reply } from "../disk.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import { knownError } from "../protocol/simple-reply.ts";
import type { ReplyOutlet } from "./reply-outlet.ts";
import type { ReplyWriter } from "./reply-writer.ts";

/** Says everything in simple replies ("Simple reply message"): holes become zeros, and what else is known of an error is lost. */
export class SimpleReplyWriter implements ReplyWriter {
  readonly #out: ReplyOutlet;

  constructor(out: ReplyOutlet) {
    this.#out = out;
  }

  write({ error, pieces, room }: Reply, request: Readonly<RequestHeader>): void {
    const first = pieces[0];
    const offered = first === undefined ? room : first.kind === "data" ? first.slice : undefined;
    this.#out.simpleReply(offered, knownError(error), request);
    this.#out.pieces(pieces, 0, pieces.length);
  }
}
