import type { ContextStatus } from "../disk.ts";
import type { ByteSource } from "../protocol/byte-source.ts";
import { EXTENT_BYTES } from "../protocol/constants.ts";
import { escapeText } from "../protocol/escape-bytes.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { ExtentList, type StatusRequest } from "./extent-list.ts";

/** What an answer to BLOCK_STATUS has to fit to. */
export interface StatusFrame {
  /** The selected contexts by the id that they have on this connection. */
  readonly contextNames: ReadonlyMap<number, string>;
  /** The size of the export: no extent goes beyond. */
  readonly sizeBytes: number;
}

/** The answer to one BLOCK_STATUS, context by context, until it is whole. What is left out of it is checked all the same. */
export class StatusAssembly {
  readonly #request: StatusRequest;
  readonly #frame: StatusFrame;
  readonly #lists = new Map<number, ExtentList>();
  #list: ExtentList | undefined;
  /** Where the next extent begins. */
  #offset = 0;

  constructor(request: StatusRequest, frame: StatusFrame) {
    this.#request = request;
    this.#frame = frame;
  }

  /** The extents of that context follow. Throws ProtocolViolation. */
  begin(contextId: number): void {
    const name = this.#frame.contextNames.get(contextId);
    if (name === undefined)
      throw new ProtocolViolation(`block status of a context that was not selected, ${contextId}`);
    if (this.#lists.has(contextId)) throw new ProtocolViolation(`block status of "${escapeText(name)}" twice`);
    this.#list = new ExtentList(this.#request);
    this.#lists.set(contextId, this.#list);
    this.#offset = this.#request.offset;
  }

  /** Bytes [start, end) are whole extents. Throws ProtocolViolation. */
  extents({ view }: ByteSource, start: number, end: number): void {
    for (let at = start; at < end; at += EXTENT_BYTES) {
      const lengthBytes = view.getUint32(at);
      if (lengthBytes === 0) throw new ProtocolViolation("an extent without length");
      this.#offset += lengthBytes;
      if (this.#offset > this.#frame.sizeBytes) {
        throw new ProtocolViolation(`an extent up to ${this.#offset}, beyond the end of the export`);
      }
      this.#list?.add(lengthBytes, view.getUint32(at + 4));
    }
  }

  /** Everything that the server had to say. Throws ProtocolViolation when a context is missing. */
  finish(): readonly ContextStatus[] {
    const statuses: ContextStatus[] = [];
    for (const [id, context] of this.#frame.contextNames) {
      const extents = this.#lists.get(id)?.pairs;
      if (extents === undefined) throw new ProtocolViolation(`no block status of "${escapeText(context)}"`);
      statuses.push({ context, extents });
    }
    return statuses;
  }
}
