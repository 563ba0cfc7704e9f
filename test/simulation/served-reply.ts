import { type Spoilable, spoiltReply, withGap } from "./bad-chunks.ts";
import { blockExtents } from "./block-extents.ts";
import { errorChunks, readChunks, replyMessages } from "./chunked-read.ts";
import type { ModelDisk } from "./model-disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerAgreement } from "./server-handshake.ts";
import { BLOCK_STATUS, statusChunk, type WireChunk } from "./structured-wire.ts";
import * as wire from "./wire.ts";

/** How the replies of one connection are made. */
export interface ServedReplyOptions {
  readonly agreement: ServerAgreement;
  readonly disk: ModelDisk;
  readonly random: SeededRandom;
  /** For controls: how likely a part of a READ is left out. */
  readonly gapChance: number;
}

/** A request that is to be answered, and what came of it. */
export interface Outcome {
  readonly request: wire.WireRequest;
  /** What a READ found. */
  readonly data: Buffer;
  /** What a BLOCK_STATUS found, context by context. */
  readonly statuses: readonly WireChunk[];
}

/** Puts what the model server has to say into messages, as it was agreed on for one connection. */
export class ServedReply {
  readonly #options: ServedReplyOptions;

  constructor(options: ServedReplyOptions) {
    this.#options = options;
  }

  /** What the selected contexts say of a range at this moment, in any order. */
  statuses(request: wire.WireRequest): readonly WireChunk[] {
    const { agreement, disk, random } = this.#options;
    const contexts = random.shuffled([...agreement.contexts]);
    return contexts.map(([id, name]) => statusChunk(id, blockExtents(disk, name, request, random)));
  }

  /** The messages of a reply, of which others may come in between. */
  messages({ request, data, statuses }: Outcome, error: number): readonly Buffer[] {
    const { agreement, disk, gapChance, random } = this.#options;
    const { command, cookie } = request;
    const isRead = command === wire.READ;
    if (!agreement.structured) {
      return [error === 0 ? Buffer.concat([wire.simpleReply(0, cookie), data]) : wire.simpleReply(error, cookie)];
    }
    if (error === 0 && isRead) {
      if (random.chance(gapChance)) return withGap({ request, data, statuses, diskBytes: disk.sizeBytes }, random);
      return replyMessages(cookie, readChunks(request, data, random, disk.blockBytes), random);
    }
    if (error === 0 && command === BLOCK_STATUS) return replyMessages(cookie, statuses, random);
    // Whatever carries nothing may be answered either way.
    if (!isRead && random.chance(0.6)) return [wire.simpleReply(error, cookie)];
    if (error === 0) return replyMessages(cookie, [], random);
    const content = isRead ? readChunks(request, data, random, disk.blockBytes) : statuses;
    return replyMessages(cookie, errorChunks(content, error, request.offset, random), random);
  }

  /** As `messages`, of a reply that breaks the protocol; undefined when it can't. */
  spoilt({ request, data, statuses }: Outcome): ReturnType<typeof spoiltReply> | undefined {
    const { agreement, disk, random } = this.#options;
    if (!agreement.structured) return undefined;
    const reply: Spoilable = { request, data, statuses, diskBytes: disk.sizeBytes };
    return spoiltReply(reply, random);
  }
}
