import { type Fragment, type LogContent, type LoggedWrite, WriteLog } from "../../src/durability/write-log.ts";
import { LIMITS } from "../../src/limits.ts";
import { replaceMethod } from "./replace-method.ts";

/** What a log that forgets nothing before it is flushed has beside its fragments. */
type History = Fragment<LogContent>[];

/**
 * Turns the write log into a list of everything that is not flushed, written again one after the other from the oldest on. In
 * the end the newest content is there, but until then older content shows. Returns what undoes it.
 */
export function replayOldestFirst(): () => void {
  const histories = new WeakMap<object, History>();
  const historyOf = (log: object): History => {
    const known = histories.get(log) ?? [];
    histories.set(log, known);
    return known;
  };
  const undo = [
    replaceMethod(WriteLog.prototype, "append", (original) => {
      return function append(this: WriteLog<LogContent>, write: LoggedWrite<LogContent>) {
        write.content?.retain();
        original.call(this, write);
        historyOf(this).push({ ...write, contentStart: 0, number: this.number, stable: false });
      };
    }),
    replaceMethod(WriteLog.prototype, "all", () => {
      return function all(this: WriteLog<LogContent>) {
        return historyOf(this);
      };
    }),
    replaceMethod(WriteLog.prototype, "trim", (original) => {
      return function trim(this: WriteLog<LogContent>, number) {
        original.call(this, number);
        const history = historyOf(this);
        for (const { content } of history.filter((one) => one.number <= number)) content?.release();
        histories.set(
          this,
          history.filter((one) => one.number > number),
        );
      };
    }),
    oneAtATime(),
  ];
  return () => {
    for (const mend of undo.toReversed()) mend();
  };
}

/** Has a replay send one request after the other. */
function oneAtATime(): () => void {
  const limits: { replayWindowRequests: number } = LIMITS;
  const usual = limits.replayWindowRequests;
  limits.replayWindowRequests = 1;
  return () => (limits.replayWindowRequests = usual);
}
