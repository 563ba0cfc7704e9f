import type { Endpoint } from "../../../src/ports/network.ts";
import { freeEndpoint } from "./free-port.ts";
import { ForegroundServer } from "./real-server.ts";
import type { RealServer } from "./real-server.ts";

/** What qemu-nbd serves, and how. */
export interface QemuNbdOptions {
  /** The file behind the disk. */
  readonly path: string;
  /** `raw` when absent. */
  readonly format?: string;
  /** A port that the kernel chooses when absent. */
  readonly endpoint?: Endpoint;
  readonly exportName?: string;
  readonly readOnly?: boolean;
  /** More options of the program, such as `--bitmap=NAME`. */
  readonly args?: readonly string[];
}

/** Starts a real qemu-nbd that takes any number of clients, one after the other or at once. */
export async function startQemuNbd(options: QemuNbdOptions): Promise<RealServer> {
  const endpoint = options.endpoint ?? (await freeEndpoint());
  const exportName = options.exportName ?? "";
  const args = [
    "--persistent",
    "--shared=0",
    `--format=${options.format ?? "raw"}`,
    `--export-name=${exportName}`,
    ...(endpoint.kind === "unix"
      ? [`--socket=${endpoint.path}`]
      : [`--bind=${endpoint.host}`, `--port=${endpoint.port}`]),
    ...(options.readOnly === true ? ["--read-only"] : []),
    ...(options.args ?? []),
    options.path,
  ];
  const server = new ForegroundServer("qemu-nbd", args, endpoint, exportName);
  await server.start();
  return server;
}
