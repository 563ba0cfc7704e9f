import type { Endpoint } from "../../../src/ports/network.ts";
import { freeEndpoint } from "./free-port.ts";
import { ForegroundServer } from "./real-server.ts";
import type { RealServer } from "./real-server.ts";

/** What nbdkit serves, and how. */
export interface NbdkitOptions {
  /** The plugin and its parameters, such as `["memory", "64M"]` or `["file", path]`. */
  readonly plugin: readonly string[];
  /** Filters, outermost first; their parameters come after the plugin's. */
  readonly filters?: readonly string[];
  /** A port that the kernel chooses when absent. */
  readonly endpoint?: Endpoint;
  readonly exportName?: string;
  /** Speak the old handshake. */
  readonly oldstyle?: boolean;
  readonly readOnly?: boolean;
  /** Refuse structured replies. */
  readonly simpleReplies?: boolean;
}

/** Starts a real nbdkit. A memory disk begins empty again at every start. */
export async function startNbdkit(options: NbdkitOptions): Promise<RealServer> {
  const endpoint = options.endpoint ?? (await freeEndpoint());
  const exportName = options.exportName ?? "";
  const args = [
    // Also stays in the foreground, and leaves with a test process that was killed.
    "--exit-with-parent",
    ...(endpoint.kind === "unix"
      ? ["--unix", endpoint.path]
      : ["--ipaddr", endpoint.host, "--port", String(endpoint.port)]),
    ...(options.oldstyle === true ? ["--oldstyle"] : ["--newstyle"]),
    ...(options.readOnly === true ? ["--readonly"] : []),
    ...(options.simpleReplies === true ? ["--no-sr"] : []),
    ...(exportName === "" ? [] : ["--exportname", exportName]),
    ...(options.filters ?? []).map((filter) => `--filter=${filter}`),
    ...options.plugin,
  ];
  const server = new ForegroundServer("nbdkit", args, endpoint, exportName);
  await server.start();
  return server;
}
