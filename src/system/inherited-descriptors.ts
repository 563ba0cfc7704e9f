import { readdirSync, readlinkSync } from "node:fs";

/** What each open file descriptor of this process leads to, in the words of Linux' /proc. Throws where there is no /proc. */
export function openDescriptors(): ReadonlyMap<number, string> {
  const open = new Map<number, string>();
  for (const name of readdirSync("/proc/self/fd")) {
    const path = `/proc/self/fd/${name}`;
    try {
      open.set(Number(name), readlinkSync(path));
    } catch {
      // The one that the folder itself was read with.
    }
  }
  return open;
}

/**
 * Whether a process that has not opened anything by itself yet was handed descriptors beside its standard streams: a lock that
 * it holds for somebody, say. What a young Node.js has of its own: events, /dev/null, and pipes of which it has both ends.
 */
export function hasInheritedDescriptors(open: ReadonlyMap<number, string>): boolean {
  const links = [...open].filter(([descriptor]) => descriptor > 2).map(([, link]) => link);
  return links.some((link) => {
    if (link.startsWith("pipe:")) return links.indexOf(link) === links.lastIndexOf(link);
    return !link.startsWith("anon_inode:") && link !== "/dev/null";
  });
}
