import { readdir, readlink } from "node:fs/promises";

/** The processes that have a file open: of nbd-server, the children that serve a client. */
export async function fileHolders(path: string): Promise<number[]> {
  const names = await readdir("/proc");
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const holds = await Promise.all(pids.map((pid) => hasOpen(pid, path)));
  return pids.filter((_, index) => holds[index]);
}

async function hasOpen(pid: number, path: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  // Processes and descriptors come and go while they are looked at.
  const descriptors = await readdir(folder).catch(() => []);
  const targets = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => "")));
  return targets.includes(path);
}
