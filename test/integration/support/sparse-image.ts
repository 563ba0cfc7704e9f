import { open } from "node:fs/promises";
import { join } from "node:path";

import { scratchFolder } from "./scratch-folder.ts";

const MIB = 1024 * 1024;

/** The size of a sparse image. */
export const SPARSE_SIZE = 16 * MIB;

/** Where a sparse image has something: data, with the byte that fills it, or zeros that take room. The rest is a hole. */
export const SPARSE_PARTS: readonly { readonly offset: number; readonly length: number; readonly fill: number }[] = [
  { offset: 0, length: MIB, fill: 0xa5 },
  { offset: 4 * MIB, length: 192 * 1024, fill: 0x5a },
  { offset: 6 * MIB, length: MIB, fill: 0 },
  { offset: 9 * MIB + 64 * 1024, length: 64 * 1024, fill: 0x11 },
  { offset: 9 * MIB + 192 * 1024, length: 64 * 1024, fill: 0x12 },
  { offset: SPARSE_SIZE - 64 * 1024, length: 64 * 1024, fill: 0x77 },
];

/** The path of a new raw file with these parts, removed at the end. */
export async function sparseImage(): Promise<string> {
  const path = join(await scratchFolder(), "sparse");
  const file = await open(path, "w");
  await file.truncate(SPARSE_SIZE);
  for (const { offset, length, fill } of SPARSE_PARTS) await file.write(Buffer.alloc(length, fill), 0, length, offset);
  // What the file system has not stored yet, it may tell to be elsewhere.
  await file.sync();
  await file.close();
  return path;
}
