import type { Handshake } from "./contender.ts";
import { fillArguments } from "./fio-arguments.ts";
import { freePort, untilListening } from "./listening-port.ts";
import type { ProcessGroups } from "./process-groups.ts";
import { runFio } from "./run-fio.ts";

/** More than enough for a disk in memory. */
const FILL_SECONDS = 30;

/** In nbdkit's words. */
const STYLE: Readonly<Record<Handshake, readonly string[]>> = {
  newstyle: [],
  "newstyle-simple": ["--no-sr"],
  oldstyle: ["--oldstyle"],
};

/** The NBD URI of the default export on a port of 127.0.0.1. */
export function uriOf(port: number): string {
  return `nbd://127.0.0.1:${port}/`;
}

/** The arguments of an nbdkit with a disk in memory on a port of 127.0.0.1. */
export function memoryServerArguments(port: number, handshake: Handshake, sizeMib: number): string[] {
  return ["--foreground", "--ipaddr=127.0.0.1", `--port=${port}`, ...STYLE[handshake], "memory", `${sizeMib}M`];
}

/**
 * Starts nbdkit with a disk in memory, writes every byte of it, so that no read is answered from a hole, and resolves
 * to its port.
 */
export async function startMemoryServer(groups: ProcessGroups, handshake: Handshake, sizeMib: number): Promise<number> {
  const port = await freePort();
  await untilListening(port, groups.start("nbdkit", memoryServerArguments(port, handshake, sizeMib)));
  await runFio(groups, fillArguments(uriOf(port)), FILL_SECONDS);
  return port;
}
