import { COMMAND, COMMAND_FLAG } from "../../src/protocol/constants.ts";
import type { Operation } from "../simulation/operation-history.ts";

/** What a client may ask for. All of it begins at block 0. */
export interface OperationKind {
  readonly name: string;
  readonly kind: Operation["kind"];
  readonly command: number;
  readonly flags: number;
  /** None for a FLUSH. */
  readonly blocks: number;
}

const { FLUSH, READ, WRITE, WRITE_ZEROES } = COMMAND;

/** Every kind of operation of which histories are made. */
export const OPERATION_KINDS: readonly OperationKind[] = [
  { name: "WRITE 0", kind: "write", command: WRITE, flags: 0, blocks: 1 },
  { name: "READ 0-1", kind: "read", command: READ, flags: 0, blocks: 2 },
  { name: "FLUSH", kind: "flush", command: FLUSH, flags: 0, blocks: 0 },
  { name: "WRITE|FUA 0", kind: "write", command: WRITE, flags: COMMAND_FLAG.FUA, blocks: 1 },
  { name: "WRITE_ZEROES 0", kind: "zero", command: WRITE_ZEROES, flags: 0, blocks: 1 },
  { name: "WRITE 0-1", kind: "write", command: WRITE, flags: 0, blocks: 2 },
];

/** The place of the READ among them, with which each history ends. */
export const READ_KIND = 1;

/** Blocks of the disk, each of one byte, which is its value. */
export const BLOCKS = 2;

/** Operations of a history, at most: their values and numbers have to fit into events. */
export const MOST_OPERATIONS = 4;
