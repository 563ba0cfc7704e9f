/** The servers that a campaign can run: nbdkit with a volatile write cache, nbdkit without one, and others. */
export const SERVER_NAMES = ["nbdkit-cache", "nbdkit", "qemu-nbd", "nbd-server"] as const;

/** The name of a server. */
export type ServerName = (typeof SERVER_NAMES)[number];

/** The program behind each. */
export const SERVER_PROGRAMS: Readonly<Record<ServerName, string>> = {
  "nbdkit-cache": "nbdkit",
  nbdkit: "nbdkit",
  "qemu-nbd": "qemu-nbd",
  "nbd-server": "nbd-server",
};
