import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { scratchFolder } from "./scratch-folder.ts";

/** A new file of random bytes in a folder of its own, removed at the end. */
export async function randomFile(sizeBytes: number): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  const path = join(await scratchFolder(), "disk");
  const bytes = randomBytes(sizeBytes);
  await writeFile(path, bytes);
  return { path, bytes };
}
