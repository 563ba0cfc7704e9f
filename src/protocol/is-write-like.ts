import { COMMAND } from "./constants.ts";

/** Whether a command changes the content of the disk. */
export function isWriteLike(command: number): boolean {
  return command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES || command === COMMAND.TRIM;
}
