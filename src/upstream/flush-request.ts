import { COMMAND } from "../protocol/constants.ts";
import type { StandInStep } from "./stand-in.ts";

/** A FLUSH, without who asked for it. */
export const FLUSH_REQUEST: StandInStep = {
  command: COMMAND.FLUSH,
  flags: 0,
  offset: 0,
  length: 0,
  payload: [],
  room: undefined,
};
