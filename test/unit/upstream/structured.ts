import type { Piece, Reply } from "../../../src/disk.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import {
  chunkBytes,
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";
import { cookieOf, type playSession } from "./played-session.ts";
import { request } from "./requests.ts";

type Fields = Parameters<typeof request>[0];
type Extents = readonly (readonly [number, number])[];

/** A request at a server that the test plays, and the chunks of its reply; `done` marks the last one. */
export class Asked {
  readonly entry: InFlight;
  /** What was handed on, in words. There should be one. */
  readonly heard: string[];

  constructor(entry: InFlight, heard: string[]) {
    this.entry = entry;
    this.heard = heard;
  }

  get cookie(): bigint {
    return cookieOf(this.entry);
  }

  none(): Buffer {
    return doneBytes(this.cookie);
  }

  data(offset: number, data: string | Buffer, done = false): Buffer {
    return dataChunkBytes({ cookie: this.cookie, done, offset, data: Buffer.from(data) });
  }

  hole(offset: number, length: number, done = false): Buffer {
    return holeChunkBytes({ cookie: this.cookie, done, offset, length });
  }

  status(id: number, extents: Extents, done = false): Buffer {
    return statusChunkBytes({ cookie: this.cookie, done, id, extents });
  }

  error(error: number, text = "", offset?: number, done = false): Buffer {
    const fields = { cookie: this.cookie, done, error, text };
    return errorChunkBytes(offset === undefined ? fields : { ...fields, offset });
  }

  chunk(type: number, payload: Buffer, done: boolean): Buffer {
    return chunkBytes({ type, flags: done ? 1 : 0, cookie: this.cookie, payload });
  }
}

/** Sends a request over a played session. */
export function ask({ send }: ReturnType<typeof playSession>, fields: Fields): Asked {
  const heard: string[] = [];
  const asked = { ...request(fields), complete: (reply: Reply) => heard.push(inWords(reply)) };
  return new Asked(send(asked), heard);
}

/** Asks for block status. */
export function askStatus(played: ReturnType<typeof playSession>, fields: Fields = {}): Asked {
  return ask(played, { command: COMMAND.BLOCK_STATUS, length: 1024, ...fields });
}

/**
 * A reply in words: `28:abc` is data with so much headroom, a `+` before it says that it continues, `hole 3` is what it says,
 * `base:allocation=512/3,512/0` are extents, `error 5 "text" at 9` is an error, and `room 20` is room for another header.
 */
export function inWords({ error, pieces, statuses, detail, room }: Reply): string {
  const words = pieces.map(pieceInWords);
  for (const { context, extents } of statuses ?? []) {
    const pairs = [...extents].map((value, index) => (index % 2 === 0 ? `${value}/` : `${value},`)).join("");
    words.push(`${context}=${pairs.slice(0, -1)}`);
  }
  if (error !== 0) words.push(`error ${error}`);
  if (detail !== undefined) words.push(`"${detail.text}"`);
  if (detail?.offset !== undefined) words.push(`at ${detail.offset}`);
  if (room !== undefined) words.push(`room ${room.headroomBytes}`);
  return words.join(" ");
}

function pieceInWords(piece: Piece): string {
  if (piece.kind === "hole") return `hole ${piece.lengthBytes}`;
  const { slice, continues } = piece;
  return `${continues === true ? "+" : ""}${slice.headroomBytes}:${slice.bytes().toString("latin1")}`;
}
