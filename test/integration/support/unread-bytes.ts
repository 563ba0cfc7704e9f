import { readFile } from "node:fs/promises";

const ESTABLISHED = "01";

/** The bytes that have arrived on connections of a TCP port of this machine, and that its program has not read yet. */
export async function unreadBytes(port: number): Promise<number> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const text = await readFile("/proc/net/tcp", "utf8");
  let sum = 0;
  for (const line of text.split("\n")) {
    const [, local, , state, queues] = line.trim().split(/\s+/);
    // The queues are "sending:receiving", in hexadecimal.
    if (local?.endsWith(suffix) === true && state === ESTABLISHED) sum += Number.parseInt(queues?.slice(9) ?? "", 16);
  }
  return sum;
}
