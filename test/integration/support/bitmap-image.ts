import { join } from "node:path";

import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { sparseImage } from "./sparse-image.ts";

/** The name of the dirty bitmap in a bitmap image, */
export const BITMAP = "since-monday";
/** and its metadata context. */
export const BITMAP_CONTEXT = `qemu:dirty-bitmap:${BITMAP}`;

/**
 * The path of a new qcow2 file over a sparse image, with a dirty bitmap that knows of what was written since it was made.
 * What was written before is not in it.
 */
export async function bitmapImage(): Promise<string> {
  const path = join(await scratchFolder(), "with-bitmap");
  await run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", await sparseImage(), path);
  await write(path, "write -q -P 0x31 8M 192k");
  await run("qemu-img", "bitmap", "--add", path, BITMAP);
  await write(path, "write -q -P 0x32 2M 64k", "write -q -z 5M 128k", "write -q -P 0x33 12M 1M");
  return path;
}

async function write(path: string, ...commands: readonly string[]): Promise<void> {
  await run("qemu-io", "-f", "qcow2", ...commands.flatMap((command) => ["-c", command]), path);
}
