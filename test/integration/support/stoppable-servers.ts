import type { RealServer } from "./real-server.ts";
import { diskImage } from "./disk-image.ts";
import { fileHolders } from "./file-holders.ts";
import { freeEndpoint } from "./free-port.ts";
import { startNbdServer } from "./nbd-server-server.ts";
import { startNbdkit } from "./nbdkit-server.ts";
import { ForegroundServer } from "./real-server.ts";

/** A real server with one client, whose process for that client can be stopped and killed. */
export interface StoppableServer {
  readonly uri: string;
  readonly exportName: string;
  /** The file behind the disk. */
  readonly imagePath: string;
  /** Sends a signal to what serves the client that connected first. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Kills what serves that client and sees to it that there is a server again. */
  crash(): Promise<void>;
}

/** The ways to start one, each with what it stands for. */
export const STOPPABLE_SERVERS: readonly (readonly [
  what: string,
  start: (sizeBytes: number) => Promise<StoppableServer>,
])[] = [
  ["nbdkit", stoppableNbdkit],
  ["qemu-nbd -e 1, which greets nobody while it has a client", stoppableQemuNbd],
  ["one child of nbd-server, whose parent lets others in", stoppableNbdServer],
];

async function stoppableNbdkit(sizeBytes: number): Promise<StoppableServer> {
  const imagePath = await diskImage(sizeBytes);
  return whole(await startNbdkit({ plugin: ["file", imagePath] }), imagePath);
}

async function stoppableQemuNbd(sizeBytes: number): Promise<StoppableServer> {
  const imagePath = await diskImage(sizeBytes);
  const endpoint = await freeEndpoint();
  if (endpoint.kind !== "tcp") throw new Error("not a TCP port");
  const where = [`--bind=${endpoint.host}`, `--port=${endpoint.port}`];
  const args = ["--persistent", "--shared=1", "--format=raw", ...where, imagePath];
  const server = new ForegroundServer("qemu-nbd", args, endpoint, "");
  await server.start();
  return whole(server, imagePath);
}

/** A server of one process: nothing else can be stopped. */
function whole(server: RealServer, imagePath: string): StoppableServer {
  return {
    uri: server.uri,
    exportName: "",
    imagePath,
    signal: async (signal) => server.signal(signal),
    crash: async () => {
      await server.stop("SIGKILL");
      await server.start();
    },
  };
}

/** A server that forks a process for each client: one is stopped, the next client gets another one. */
export async function stoppableNbdServer(sizeBytes: number): Promise<StoppableServer> {
  const imagePath = await diskImage(sizeBytes);
  const exportName = "disk";
  const server = await startNbdServer({ path: imagePath, exportName });
  let child: number | undefined;
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    child ??= (await fileHolders(imagePath))[0];
    if (child === undefined) throw new Error("nobody serves the disk");
    process.kill(child, name);
  };
  return { uri: server.uri, exportName, imagePath, signal, crash: () => signal("SIGKILL") };
}
