import type { DiskHandle, DiskRequest } from "../disk.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { WriteCacheContents } from "./write-cache-contents.ts";

/** Data in one request: enough to be cheap, and a copy of it is made. */
const PIECE_BYTES = 1024 * 1024;
/** Requests under way at once: as many as Node has threads for files. */
const REQUESTS_AT_ONCE = 4;

/**
 * Writes everything that a cache holds to the disk below, and FLUSHes that. Nothing may be put into the contents
 * meanwhile. Resolves when no request is under way any more: to 0 when all of it is stable below, else to the first
 * `NBD_ERROR`, and then nothing is known of any part.
 */
export async function writeBack(contents: WriteCacheContents, below: DiskHandle): Promise<number> {
  const requests = requestsFor(contents);
  let error = 0;
  const lane = async (): Promise<void> => {
    // The lanes share the requests: each takes the next one that is left.
    for (const request of requests) {
      const answer = await ask(below, request);
      if (error === 0) error = answer;
      if (error !== 0) return;
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
  return error === 0 ? await ask(below, FLUSH) : error;
}

type Question = Omit<DiskRequest, "complete">;

const FLUSH: Question = { command: COMMAND.FLUSH, flags: 0, offset: 0, length: 0, payload: [], room: undefined };

function* requestsFor(contents: WriteCacheContents): Generator<Question, void> {
  for (const { start, end, command, flags } of contents.runs) {
    const stepBytes = command === COMMAND.WRITE ? PIECE_BYTES : end - start;
    for (let offset = start; offset < end; offset += stepBytes) {
      const length = Math.min(stepBytes, end - offset);
      const payload = command === COMMAND.WRITE ? [contents.data(offset, offset + length)] : [];
      yield { command, flags, offset, length, payload, room: undefined };
    }
  }
}

function ask(below: DiskHandle, question: Question): Promise<number> {
  return new Promise((resolve) => {
    below.submit({ ...question, complete: ({ error }) => resolve(error) });
  });
}
