import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** O_CLOEXEC, as Linux' /proc shows it: another program in this process would not have the descriptor any more. */
const CLOSED_BY_EXEC = 0o2_000_000;

/**
 * What those file descriptors of this process lead to that another program in it would not have, in the words of Linux' /proc.
 * Node.js makes what it was handed such descriptors. It passes on the standard streams, which are left out. Throws where there is
 * no /proc.
 */
export function passingDescriptors(): ReadonlyMap<number, string> {
  const passing = new Map<number, string>();
  for (const name of readdirSync("/proc/self/fd")) {
    if (Number(name) <= 2) continue;
    try {
      const [, flags] = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8")) ?? [];
      if ((Number.parseInt(flags ?? "0", 8) & CLOSED_BY_EXEC) === 0) continue;
      passing.set(Number(name), readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The one that the folder itself was read with.
    }
  }
  return passing;
}

/**
 * Whether a process that has not opened anything by itself yet was handed one of these descriptors: a lock that it holds for
 * somebody, say. What a young Node.js has of its own: events, /dev/null, and pipes of which it has both ends.
 */
export function hasInheritedDescriptors(passing: ReadonlyMap<number, string>): boolean {
  const links = [...passing.values()];
  return links.some((link) => {
    if (link.startsWith("pipe:")) return links.indexOf(link) === links.lastIndexOf(link);
    return !link.startsWith("anon_inode:") && link !== "/dev/null";
  });
}
