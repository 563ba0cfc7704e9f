import type { Disk } from "../disk.ts";
import { TRANSMISSION_FLAG } from "../protocol/constants.ts";

/**
 * The disk as it is offered to clients: CAN_MULTI_CONN ("Transmission flags") only when several may connect. It is true
 * whatever the server says of itself, because all clients share one connection to it.
 */
export function offeredDisk(disk: Disk, maxClients: number): Disk {
  const multi = TRANSMISSION_FLAG.CAN_MULTI_CONN;
  return {
    get geometry() {
      const { geometry } = disk;
      return { ...geometry, flags: maxClients > 1 ? geometry.flags | multi : geometry.flags & ~multi };
    },
    attach: (user) => disk.attach(user),
  };
}
