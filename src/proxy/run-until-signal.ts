import type { Log } from "../ports/log.ts";

/** Something that is started, and stopped in an orderly way. */
export interface Service {
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
}

const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

/**
 * Starts a service and stops it at the first signal; a second one ends the process at once. Resolves to the exit status:
 * 0, or 1 when the service could not start, in which case the log has one fatal line.
 */
export async function runUntilSignal(service: Service, log: Log & { fatal(message: string): void }): Promise<number> {
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
  await service.stop();
  return 0;
}
