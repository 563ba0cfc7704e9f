import { writeSync, writevSync } from "node:fs";
import type { Socket } from "node:net";
import { socketHandle } from "./node-socket-handle.ts";

/**
 * Offers bytes to the system without the detour through the socket's queue, its callbacks and its next ticks, which cost more
 * than the system does. Returns how many bytes it took. When it took none, because it is full, or the connection is
 * broken, or this is no system with descriptors, the socket's own `write` says so in its own way. Nothing may be queued in
 * the socket.
 */
export function writeDirectly(socket: Socket, chunks: readonly Buffer[]): number {
  const fd = socketHandle(socket)?.fd ?? -1;
  const first = chunks[0];
  if (fd < 0 || first === undefined) return 0;
  try {
    return chunks.length === 1 ? writeSync(fd, first) : writevSync(fd, chunks);
  } catch {
    return 0;
  }
}
