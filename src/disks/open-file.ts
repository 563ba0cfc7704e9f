import { close, constants, fdatasync, fstat, open, read, writev } from "node:fs";
import { promisify } from "node:util";

import { NBD_ERROR } from "../protocol/constants.ts";

/** Called when a file operation ended: with its error, or with null and the number of bytes it moved. */
export type FileCallback = (error: NodeJS.ErrnoException | null, count: number) => void;

/** An open regular file. Operations may move fewer bytes than asked for; offsets are absolute. */
export interface OpenFile {
  readonly sizeBytes: number;
  /** Fills `target` from there on; a count of 0 is the end of the file. */
  read(target: Buffer, offset: number, callback: FileCallback): void;
  write(chunks: readonly Buffer[], offset: number, callback: FileCallback): void;
  /** Makes what was written so far survive a power loss. */
  sync(callback: (error: NodeJS.ErrnoException | null) => void): void;
  close(): Promise<void>;
}

/** A file that can't be served as a disk; `message` says which and why, `cause` is the system's error if it was one. */
export class FileUnusable extends Error {
  override readonly name = "FileUnusable";
}

/** Opens a regular file for reading, and for writing unless `readOnly`. Rejects with `FileUnusable`. */
export async function openFile(path: string, readOnly: boolean): Promise<OpenFile> {
  let fd: number;
  try {
    // Opening a FIFO would otherwise wait for its other end, for ever.
    const flags = (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK;
    fd = await promisify(open)(path, flags);
  } catch (error) {
    throw new FileUnusable(`cannot open ${JSON.stringify(path)}: ${reasonOf(error)}`, { cause: error });
  }
  const status = await promisify(fstat)(fd);
  if (!status.isFile()) {
    await promisify(close)(fd);
    throw new FileUnusable(`cannot serve ${JSON.stringify(path)}: not a regular file`);
  }
  return {
    sizeBytes: status.size,
    read: (target, offset, callback) => {
      read(fd, target, 0, target.length, offset, callback);
    },
    write: (chunks, offset, callback) => {
      writev(fd, chunks, offset, callback);
    },
    sync: (callback) => {
      fdatasync(fd, callback);
    },
    close: () => promisify(close)(fd),
  };
}

/** The `NBD_ERROR` for a system's error ("Error values"). */
export function nbdErrorOf(error: NodeJS.ErrnoException): number {
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return NBD_ERROR.ENOSPC;
    case "EPERM":
    case "EACCES":
    case "EROFS":
      return NBD_ERROR.EPERM;
    case "ENOMEM":
      return NBD_ERROR.ENOMEM;
    default:
      return NBD_ERROR.EIO;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
