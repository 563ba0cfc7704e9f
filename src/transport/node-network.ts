import net, { type Server, type Socket } from "node:net";
import { LIMITS } from "../limits.ts";
import type {
  ByteStream,
  DialOutcome,
  DialTarget,
  Endpoint,
  Listening,
  ListenOptions,
  Network,
} from "../ports/network.ts";
import { AdaptivePolling, type PollingLoop } from "./adaptive-polling.ts";
import { endpointText } from "./endpoint-text.ts";
import { DirectReads } from "./node-direct-reads.ts";
import { NodeStream, type StreamSurroundings } from "./node-stream.ts";
import { socketHandle } from "./node-socket-handle.ts";
import { Turn } from "./turn.ts";
import { UnixSocketFile } from "./unix-socket-file.ts";

function eventLoop(directReads: DirectReads | undefined): PollingLoop {
  return {
    nowMs: () => performance.now(),
    again: (step) => void setImmediate(step),
    giveWay: directReads && (() => directReads.giveWay()),
  };
}

/** The machine's own network: TCP and UNIX domain sockets of node:net. */
export class NodeNetwork implements Network {
  readonly #surroundings: StreamSurroundings;

  constructor() {
    const directReads = DirectReads.find();
    this.#surroundings = { polling: new AdaptivePolling(eventLoop(directReads)), turn: new Turn(), directReads };
  }

  dial(target: DialTarget, outcome: DialOutcome): { abort(): void } {
    const { endpoint, bindAddress } = target;
    let dialled: Socket | undefined;
    const stream = new NodeStream(
      (onread) => {
        dialled =
          endpoint.kind === "unix"
            ? net.connect({ path: endpoint.path, onread, allowHalfOpen: true })
            : net.connect({
                host: endpoint.host,
                port: endpoint.port,
                ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
                onread,
                allowHalfOpen: true,
                noDelay: true,
                keepAlive: true,
                keepAliveInitialDelay: LIMITS.keepAliveMs,
              });
        return dialled.pause();
      },
      endpointText(endpoint),
      endpoint.kind === "unix" ? undefined : endpoint.host,
      this.#surroundings,
    );
    const socket = dialled as unknown as Socket;
    let over = false;
    const failed = (error: Error): void => {
      if (over) return;
      over = true;
      outcome.failed(error);
    };
    socket.once("connect", () => {
      if (over) return;
      over = true;
      socket.off("error", failed);
      outcome.connected(stream);
    });
    socket.once("error", failed);
    return {
      abort: () => {
        over = true;
        socket.destroy();
      },
    };
  }

  async listen(options: ListenOptions, accept: (stream: ByteStream) => void): Promise<Listening> {
    const server = net.createServer(
      {
        pauseOnConnect: true,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: LIMITS.keepAliveMs,
      },
      (accepted) => accept(this.#adopt(accepted, options.endpoint.kind)),
    );
    const { endpoint, socketMode } = options;
    if (endpoint.kind === "unix") return listenOnPath(server, endpoint.path, socketMode);
    await listening(server, () =>
      server.listen({ host: endpoint.host, port: endpoint.port, backlog: LIMITS.listenBacklog }),
    );
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : endpoint.port;
    return { endpoint: { ...endpoint, port }, close: () => closeServer(server) };
  }

  /** Wraps an accepted connection anew, because only a new socket can be told to read into memory of ours. */
  #adopt(accepted: Socket, kind: Endpoint["kind"]): ByteStream {
    const peer = kind === "unix" ? "on UNIX socket" : tcpPeer(accepted);
    const handle = socketHandle(accepted);
    return new NodeStream(
      (onread) => {
        // `handle` is known to node:net, though not to its types.
        const socketOptions = { handle, onread, allowHalfOpen: true, pauseOnCreate: true };
        return new net.Socket(socketOptions).pause();
      },
      peer,
      // A client that is gone already has no address; it must not pass for one on a UNIX socket.
      kind === "unix" ? undefined : (accepted.remoteAddress ?? ""),
      this.#surroundings,
    );
  }
}

async function listenOnPath(server: Server, path: string, socketMode: number): Promise<Listening> {
  const file = await UnixSocketFile.claim(path);
  await listening(server, () => {
    // The socket is bound during the call; until its rights are set, nobody else may connect.
    const umask = process.umask(0o177);
    try {
      server.listen({ path: file.temporaryPath, backlog: LIMITS.listenBacklog });
    } finally {
      process.umask(umask);
    }
  });
  try {
    await file.publish(socketMode);
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  return {
    endpoint: { kind: "unix", path },
    close: async () => {
      await file.withdraw();
      await closeServer(server);
    },
  };
}

function tcpPeer(socket: Socket): string {
  return endpointText({ kind: "tcp", host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      // Later errors concern a single connection that could not be accepted; the client tries again.
      server.on("error", () => undefined);
      resolve();
    });
    listen();
  });
}

/** Stops listening. Node's own callback waits for connections that were wrapped anew, hence for ever. */
function closeServer(server: Server): Promise<void> {
  server.close();
  return Promise.resolve();
}
