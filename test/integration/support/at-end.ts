import { afterAll, onTestFinished, TestRunner } from "vitest";

const ofThisFile: Cleanup[] = [];

type Cleanup = () => Promise<void> | void;

afterAll(async () => {
  for (const cleanup of ofThisFile.toReversed()) await cleanup();
});

/** Has something undone when the running test ends or, outside of one, when its file does; the last thing first. */
export function atEnd(cleanup: Cleanup): void {
  if (TestRunner.getCurrentTest() === undefined) ofThisFile.push(cleanup);
  else onTestFinished(cleanup);
}
