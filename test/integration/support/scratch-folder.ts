import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { atEnd } from "./at-end.ts";

/** A new empty folder, removed at the end. Its path is short enough for UNIX sockets. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-"));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
