import type { ContextStatus, DiskRequest, ErrorDetail, Reply } from "../../../src/disk.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";

/** What became of a request. */
export interface Answer {
  readonly error: number;
  readonly data: Buffer;
  readonly statuses?: readonly ContextStatus[];
  readonly detail?: ErrorDetail;
}

/** A request that keeps its answers; there should be one. */
export interface KeptRequest extends DiskRequest {
  readonly answers: readonly Answer[];
}

/** A request to be submitted by a test; `text` is the payload of a WRITE, with room for a header in front. */
export function request(
  fields: Partial<Omit<DiskRequest, "complete">> & { readonly text?: string } = {},
  onAnswer: (answer: Answer) => void = () => undefined,
): KeptRequest {
  const { text, ...rest } = fields;
  const answers: Answer[] = [];
  return {
    command: text === undefined ? COMMAND.READ : COMMAND.WRITE,
    flags: 0,
    offset: 0,
    length: text?.length ?? 0,
    payload: text === undefined ? [] : [payloadSlice(text)],
    room: undefined,
    ...rest,
    answers,
    complete: (reply) => {
      const answer = answerOf(reply);
      answers.push(answer);
      onAnswer(answer);
    },
  };
}

function payloadSlice(text: string): Slice {
  return new Slice(new Slab(Buffer.from("-".repeat(28) + text)), 28, 28 + text.length, 28);
}

function answerOf({ error, pieces, statuses, detail }: Reply): Answer {
  const data = pieces.map((piece) =>
    piece.kind === "data" ? Buffer.from(piece.slice.bytes()) : Buffer.alloc(piece.lengthBytes),
  );
  return {
    error,
    data: Buffer.concat(data),
    ...(statuses === undefined ? {} : { statuses }),
    ...(detail === undefined ? {} : { detail }),
  };
}
