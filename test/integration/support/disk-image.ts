import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { scratchFolder } from "./scratch-folder.ts";

/** The path of a new file full of zeros, removed at the end. */
export async function diskImage(sizeBytes: number): Promise<string> {
  const path = join(await scratchFolder(), "image");
  await writeFile(path, "");
  await truncate(path, sizeBytes);
  return path;
}
