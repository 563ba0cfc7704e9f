import type { Log } from "../ports/log.ts";

/** Something that is started, and stopped in an orderly way. */
export interface Service {
  start(): Promise<unknown>;
  /** Resolves to false when it could not stop well. */
  stop(): Promise<unknown>;
}

const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;
/** The exit status after an error of our own, as in sysexits.h. */
const INTERNAL_ERROR = 70;

/**
 * Starts a service and stops it at the first signal; a second one ends the process at once. Resolves to the exit status:
 * 0, or 1 when the service could not start, in which case the log has one fatal line, or did not stop well.
 *
 * An error that nobody expected, such as a broken invariant, ends the process at once with a fatal line: clients see the
 * connection drop, which is better than doubtful data.
 */
export async function runUntilSignal(service: Service, log: Log & { fatal(message: string): void }): Promise<number> {
  process.on("uncaughtException", (error) => {
    log.fatal(`internal error, stopping at once: ${error.stack ?? error.message}`);
    // oxlint-disable-next-line unicorn/no-process-exit
    process.exit(INTERNAL_ERROR);
  });
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    let stopping = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (stopping) process.exit(1);
        stopping = true;
        resolve(signal);
      });
    }
  });
  try {
    await service.start();
  } catch (error) {
    log.fatal(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const signal = await signalled;
  log.info(`${signal}: stopping`);
  return (await service.stop()) === false ? 1 : 0;
}
