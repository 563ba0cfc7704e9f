import { writeSync, writevSync } from "node:fs";
import type { Socket } from "node:net";
import { socketHandle } from "./node-socket-handle.ts";

/** The system's errors after which a connection is as good as before: it is full, a signal came, this is no descriptor. */
const HARMLESS: ReadonlySet<unknown> = new Set(["EAGAIN", "EINTR", "EBADF"]);

/**
 * Offers bytes to the system without the detour through the socket's queue, its callbacks and its next ticks, which cost more
 * than the system does. Returns how many bytes it took; none when it is full, or this is no system with descriptors. When
 * the connection is broken, the socket is destroyed with the system's error, which says only once why. Nothing may be queued in
 * the socket.
 */
export function writeDirectly(socket: Socket, chunks: readonly Buffer[]): number {
  const fd = socketHandle(socket)?.fd ?? -1;
  const first = chunks[0];
  if (fd < 0 || first === undefined) return 0;
  try {
    return chunks.length === 1 ? writeSync(fd, first) : writevSync(fd, chunks);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // What did not come from the system, nothing happened of.
    if (syscall !== undefined && !HARMLESS.has(code)) socket.destroy(error as Error);
    return 0;
  }
}
