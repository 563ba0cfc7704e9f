import { randomBytes } from "node:crypto";
import { chmod, lstat, rename, unlink } from "node:fs/promises";
import net from "node:net";
import { dirname, join } from "node:path";
import { LIMITS } from "../limits.ts";

/** A UNIX socket can't be had at this path; the message says why. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
}

/**
 * The file of a listening UNIX socket. It is made under a temporary name and renamed when its rights are set, so that it
 * never stands at its path with other rights, and it is removed only while it is still ours.
 */
export class UnixSocketFile {
  readonly temporaryPath: string;
  readonly #path: string;
  #inode: string | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.temporaryPath = join(dirname(path), `.${randomBytes(4).toString("hex")}`);
  }

  /** Makes sure that the path is free, or held by a dead socket of our own. Throws SocketPathError. */
  static async claim(path: string): Promise<UnixSocketFile> {
    const found = await lstat(path).catch(nothingThere);
    if (found !== undefined) {
      if (!found.isSocket()) throw new SocketPathError(`${path} exists and is not a socket`);
      if (found.uid !== process.getuid?.()) throw new SocketPathError(`${path} is another user's socket`);
      if (await somebodyAnswers(path)) throw new SocketPathError(`somebody is already listening on ${path}`);
    }
    const file = new UnixSocketFile(path);
    if (Buffer.byteLength(file.temporaryPath) > LIMITS.socketPathBytes) {
      throw new SocketPathError(`${path} is too long: its folder leaves no room for a temporary name`);
    }
    return file;
  }

  /** Puts the bound socket at its path, over a dead one. */
  async publish(mode: number): Promise<void> {
    await chmod(this.temporaryPath, mode);
    this.#inode = await inodeOf(this.temporaryPath);
    await rename(this.temporaryPath, this.#path);
  }

  /** Removes it from its path, unless a successor stands there already. */
  async withdraw(): Promise<void> {
    const inode = await inodeOf(this.#path).catch(nothingThere);
    if (inode !== undefined && inode === this.#inode) await unlink(this.#path).catch(nothingThere);
  }
}

async function inodeOf(path: string): Promise<string> {
  const { dev, ino } = await lstat(path, { bigint: true });
  return `${dev}:${ino}`;
}

function nothingThere(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

function somebodyAnswers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = net.connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve(false);
      else reject(new SocketPathError(`${path} can't be probed: ${error.message}`, { cause: error }));
    });
  });
}
