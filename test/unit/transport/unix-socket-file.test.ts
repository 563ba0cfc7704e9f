import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { NodeNetwork } from "../../../src/transport/node-network.ts";
import { SocketPathError, UnixSocketFile } from "../../../src/transport/unix-socket-file.ts";

let folder = "";
let path = "";
const network = new NodeNetwork();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flexnbd-"));
  path = join(folder, "nbd.sock");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function listen(socketMode = 0o600, at = path) {
  return network.listen({ endpoint: { kind: "unix", path: at }, socketMode }, (stream) => stream.destroy());
}

/** A socket file that nobody listens on any more, as a crash leaves it behind. */
async function leaveStaleSocket(): Promise<void> {
  const temporary = join(folder, "dying");
  const server = net.createServer();
  await new Promise<void>((resolve) => {
    server.listen(temporary, resolve);
  });
  // Closing unlinks the name that it was bound to, hence the detour.
  const { rename } = await import("node:fs/promises");
  await rename(temporary, path);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  expect((await lstat(path)).isSocket()).toBe(true);
}

function canConnect(): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

describe("the file of a UNIX socket", () => {
  it.each([0o600, 0o660, 0o666])("stands at its path alone, with mode %o, while somebody listens", async (mode) => {
    const listening = await listen(mode);
    expect(await readdir(folder)).toEqual(["nbd.sock"]);
    const found = await lstat(path);
    expect(found.isSocket()).toBe(true);
    expect(found.mode & 0o777).toBe(mode);
    expect(await canConnect()).toBe(true);
    await listening.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it("never stands at its path with other rights: until it is published, it has a temporary name", async () => {
    const file = await UnixSocketFile.claim(path);
    expect(file.temporaryPath).not.toBe(path);
    const server = net.createServer();
    await new Promise<void>((resolve) => {
      server.listen(file.temporaryPath, resolve);
    });
    expect(await readdir(folder)).not.toContain("nbd.sock");
    await file.publish(0o640);
    expect((await lstat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(["nbd.sock"]);
    server.close();
  });

  it("leaves the mask of the process as it was", async () => {
    const before = process.umask(0o027);
    const listening = await listen();
    expect(process.umask(before)).toBe(0o027);
    await listening.close();
  });

  it("replaces a stale socket of ours", async () => {
    await leaveStaleSocket();
    expect(await canConnect()).toBe(false);
    const listening = await listen();
    expect(await canConnect()).toBe(true);
    await listening.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses a path on which somebody listens, and leaves them alone", async () => {
    const first = await listen();
    await expect(listen()).rejects.toThrow(new SocketPathError(`somebody is already listening on ${path}`));
    expect(await canConnect()).toBe(true);
    expect(await readdir(folder)).toEqual(["nbd.sock"]);
    await first.close();
  });

  it("refuses anything that is no socket, and leaves it alone", async () => {
    await writeFile(path, "precious");
    await expect(listen()).rejects.toThrow(new SocketPathError(`${path} exists and is not a socket`));
    expect(await readFile(path, "utf8")).toBe("precious");
  });

  it("refuses a symbolic link, even to a stale socket", async () => {
    await leaveStaleSocket();
    const link = join(folder, "link");
    await symlink(path, link);
    await expect(listen(0o600, link)).rejects.toThrow("is not a socket");
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  it("says what is wrong when there is no such folder", async () => {
    await expect(listen(0o600, join(folder, "missing", "nbd.sock"))).rejects.toThrow(/ENOENT|EACCES/);
  });

  it("refuses a path that leaves no room for a temporary name", async () => {
    const long = join(folder, "x".repeat(120 - folder.length), "s");
    await expect(UnixSocketFile.claim(long)).rejects.toThrow(SocketPathError);
  });

  it("does not remove a successor's socket", async () => {
    const first = await listen();
    await rm(path);
    const second = await listen();
    await first.close();
    expect(await readdir(folder)).toEqual(["nbd.sock"]);
    expect(await canConnect()).toBe(true);
    await second.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it("does not mind that somebody else removed it", async () => {
    const listening = await listen();
    await rm(path);
    await listening.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves nothing behind when it can't be published", async () => {
    const file = await UnixSocketFile.claim(path);
    await expect(file.publish(0o600)).rejects.toThrow("ENOENT");
    await file.withdraw();
    expect(await readdir(folder)).toEqual([]);
  });
});
