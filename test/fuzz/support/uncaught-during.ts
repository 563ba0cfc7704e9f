/** Waits for a run, and takes an error that nobody caught meanwhile for its own. */
export async function uncaughtDuring(running: Promise<void>): Promise<void> {
  let report = (_error: unknown): void => undefined;
  const uncaught = new Promise<never>((_resolve, reject) => (report = reject));
  const listener = (error: unknown): void => report(error);
  process.on("uncaughtException", listener);
  process.on("unhandledRejection", listener);
  try {
    await Promise.race([running, uncaught]);
  } finally {
    process.off("uncaughtException", listener);
    process.off("unhandledRejection", listener);
  }
}
