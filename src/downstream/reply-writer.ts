import type { Reply } from "../disk.ts";
import type { RequestHeader } from "../protocol/request-header.ts";

/** Says the replies of a disk to one client, in the way that was negotiated. */
export interface ReplyWriter {
  /** Sends the reply to this request. What the client did not agree to hear is left out. */
  write(reply: Reply, request: Readonly<RequestHeader>): void;
}
