import { open, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Ground } from "./ground.ts";

const PIECES_BYTES = [1024 * 1024, 4096] as const;

/** Fills the file system of a private ground up; `free` gives the space back. */
export async function fillMedium(ground: Ground): Promise<{ free(): Promise<void> }> {
  const path = ground.reach(join(ground.medium, "ballast"));
  const file = await open(path, "w");
  try {
    for (const bytes of PIECES_BYTES) {
      const piece = Buffer.alloc(bytes);
      while (await hasRoomFor(() => file.appendFile(piece)));
    }
  } finally {
    await file.close();
  }
  return { free: () => rm(path, { force: true }) };
}

async function hasRoomFor(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
