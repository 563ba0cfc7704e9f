import type { Socket } from "node:net";

/** The system's side of a socket, which node:net does not document. */
export interface SocketHandle {
  /** The descriptor; below 0 or undefined where there is none. */
  readonly fd?: number;
}

/** That of an open socket; undefined once it is closed. */
export function socketHandle(socket: Socket): SocketHandle | undefined {
  return (socket as unknown as { readonly _handle: SocketHandle | null })._handle ?? undefined;
}
