import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FileDisk } from "../../../src/disks/file-disk.ts";
import { FileUnusable } from "../../../src/disks/open-file.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ask, attach, request, write } from "./ask.ts";
import { FakeFile } from "./fake-file.ts";

const { SEND_FLUSH, SEND_FUA, READ_ONLY, SEND_FAST_ZERO } = TRANSMISSION_FLAG;

describe("FileDisk on a real file", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "file-disk-"));
    path = join(folder, "disk");
    await writeFile(path, Buffer.alloc(100_000, 1));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is as large as the file and keeps what is written", async () => {
    const disk = await FileDisk.open(path, { name: "n" });
    expect(disk.geometry).toMatchObject({ sizeBytes: 100_000, name: "n" });
    expect(disk.geometry.flags & (SEND_FLUSH | SEND_FUA | READ_ONLY | SEND_FAST_ZERO)).toBe(SEND_FLUSH | SEND_FUA);
    const handle = attach(disk);
    expect(await ask(handle, write(99_990, Buffer.from("0123456789"), 3, 0, 4))).toMatchObject({ error: 0 });
    expect((await ask(handle, { command: COMMAND.FLUSH })).error).toBe(0);
    const answer = await ask(handle, { offset: 99_989, length: 11 });
    expect(answer).toMatchObject({ shape: "data 11", headroomBytes: 28 });
    expect(answer.data.toString()).toBe("\u00010123456789");
    await disk.close();
    expect((await readFile(path)).subarray(99_990).toString()).toBe("0123456789");
  });

  it("writes zeros where WRITE_ZEROES asks for them, and leaves TRIM's range as it is", async () => {
    const disk = await FileDisk.open(path);
    const handle = attach(disk);
    expect((await ask(handle, { command: COMMAND.WRITE_ZEROES, offset: 5, length: 90_000 })).error).toBe(0);
    expect((await ask(handle, { command: COMMAND.TRIM, offset: 95_000, length: 5000 })).error).toBe(0);
    await disk.close();
    const expected = Buffer.alloc(100_000, 1).fill(0, 5, 90_005);
    expect((await readFile(path)).equals(expected)).toBe(true);
  });

  it("opens a read-only file when it is to be read only", async () => {
    const disk = await FileDisk.open(path, { readOnly: true });
    expect(disk.geometry.flags & (READ_ONLY | SEND_FLUSH)).toBe(READ_ONLY);
    expect((await ask(attach(disk), write(0, Buffer.from("x")))).error).not.toBe(0);
    await disk.close();
  });

  it("answers EIO for what the file has lost since it was opened", async () => {
    const disk = await FileDisk.open(path);
    await writeFile(path, "short");
    expect((await ask(attach(disk), { offset: 1000, length: 10 })).error).toBe(NBD_ERROR.EIO);
    await disk.close();
  });

  it("refuses, by name, what is no regular file or not there", async () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    await expect(FileDisk.open(join(folder, "none"))).rejects.toThrow(/cannot open ".*none": ENOENT/);
    await expect(FileDisk.open(folder, { readOnly: true })).rejects.toThrow(/not a regular file/);
    await expect(FileDisk.open(fifo)).rejects.toThrow(FileUnusable);
  });
});

describe("FileDisk on a file that misbehaves", () => {
  it("goes on after short reads and short writes", async () => {
    const file = new FakeFile(50);
    file.mostBytes = 7;
    const handle = attach(new FileDisk(file));
    const bytes = Buffer.from("the quick brown fox jumps over the lazy dog");
    expect((await ask(handle, write(4, bytes, 5, 0, 9, 7))).error).toBe(0);
    expect((await ask(handle, { offset: 4, length: bytes.length })).data.toString()).toBe(bytes.toString());
    expect((await ask(handle, { command: COMMAND.WRITE_ZEROES, offset: 0, length: 40 })).error).toBe(0);
    expect(file.bytes.toString()).toBe("\0".repeat(40) + bytes.toString().slice(36) + "\0".repeat(3));
  });

  it("writes zeros in bounded pieces", async () => {
    const file = new FakeFile(3 * LIMITS.fileZerosBytes + 5);
    file.bytes.fill(1);
    const handle = attach(new FileDisk(file));
    await ask(handle, { command: COMMAND.WRITE_ZEROES, length: file.sizeBytes });
    expect(file.calls).toEqual(["write", "write", "write", "write"]);
    expect(file.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it("syncs for FLUSH, and after the data for FUA", async () => {
    const file = new FakeFile(50);
    const handle = attach(new FileDisk(file));
    await ask(handle, { command: COMMAND.FLUSH });
    await ask(handle, { ...write(0, Buffer.from("x")), flags: COMMAND_FLAG.FUA });
    await ask(handle, { command: COMMAND.WRITE_ZEROES, length: 3, flags: COMMAND_FLAG.FUA });
    await ask(handle, { length: 3, flags: COMMAND_FLAG.FUA });
    expect(file.calls).toEqual(["sync", "write", "sync", "write", "sync", "read"]);
  });

  it.each([
    ["ENOSPC", NBD_ERROR.ENOSPC],
    ["EDQUOT", NBD_ERROR.ENOSPC],
    ["EFBIG", NBD_ERROR.ENOSPC],
    ["EROFS", NBD_ERROR.EPERM],
    ["ENOMEM", NBD_ERROR.ENOMEM],
    ["EIO", NBD_ERROR.EIO],
    ["EWHATEVER", NBD_ERROR.EIO],
  ])("answers the system's %s with the protocol's %i", async (code, error) => {
    const file = new FakeFile(50);
    file.failure = Object.assign(new Error(code), { code });
    const handle = attach(new FileDisk(file));
    expect((await ask(handle, write(0, Buffer.from("x")))).error).toBe(error);
    expect((await ask(handle, { length: 3 })).error).toBe(error);
    expect((await ask(handle, { command: COMMAND.FLUSH })).error).toBe(error);
  });

  it("refuses commands that it does not know", async () => {
    const handle = attach(new FileDisk(new FakeFile(50)));
    expect((await ask(handle, { command: COMMAND.BLOCK_STATUS, length: 3 })).error).toBe(NBD_ERROR.EINVAL);
    expect((await ask(handle, { command: COMMAND.CACHE, length: 3 })).error).toBe(NBD_ERROR.EINVAL);
  });

  it("runs a limited number of operations at once, and in the end all", async () => {
    const file = new FakeFile(50);
    const handle = attach(new FileDisk(file));
    const answers = Array.from({ length: 100 }, () => ask(handle, { length: 3 }));
    expect(file.atOnce).toBe(LIMITS.fileOperations);
    for (const { error } of await Promise.all(answers)) expect(error).toBe(0);
    expect(file.mostAtOnce).toBe(LIMITS.fileOperations);
  });

  it("gets through a long queue of requests that need no operation", async () => {
    const file = new FakeFile(50);
    const handle = attach(new FileDisk(file));
    const reads = Array.from({ length: LIMITS.fileOperations }, () => ask(handle, { length: 3 }));
    const trims = Array.from({ length: 20_000 }, () => ask(handle, { command: COMMAND.TRIM, length: 3 }));
    const answers = await Promise.all([...reads, ...trims]);
    expect(answers.every(({ error }) => error === 0)).toBe(true);
  });
});

describe("FileDisk when somebody leaves", () => {
  it("drops what has not started, starts no further step, and serves other users on", async () => {
    const file = new FakeFile(50);
    file.mostBytes = 10;
    const disk = new FileDisk(file);
    const leaver = attach(disk);
    const long = ask(leaver, { command: COMMAND.WRITE_ZEROES, length: 50 });
    const errors: number[] = [];
    for (let count = 0; count < 2 * LIMITS.fileOperations; count += 1) {
      leaver.submit(request({ command: COMMAND.FLUSH }, ({ error }) => errors.push(error)));
    }
    const stayer = ask(attach(disk), { length: 3 });
    leaver.close();
    expect(errors).toEqual(Array.from({ length: LIMITS.fileOperations + 1 }, () => NBD_ERROR.ESHUTDOWN));
    expect((await long).error).toBe(NBD_ERROR.ESHUTDOWN);
    expect((await stayer).error).toBe(0);
    expect(file.calls.filter((call) => call === "write")).toHaveLength(1);
    expect((await ask(leaver, { length: 3 })).error).toBe(NBD_ERROR.ESHUTDOWN);
  });

  it("closes the file once, after the operations that run", async () => {
    const file = new FakeFile(50);
    const disk = new FileDisk(file);
    const handle = attach(disk);
    const answers = Array.from({ length: LIMITS.fileOperations + 1 }, () => ask(handle, { length: 3 }));
    await Promise.all([disk.close(), disk.close()]);
    expect(file.calls.filter((call) => call === "close")).toHaveLength(1);
    expect(file.calls.at(-1)).toBe("close");
    const errors = (await Promise.all(answers)).map(({ error }) => error);
    expect(errors.filter((error) => error === 0)).toHaveLength(LIMITS.fileOperations);
    expect((await ask(handle, { length: 3 })).error).toBe(NBD_ERROR.ESHUTDOWN);
  });

  it("closes the file at once when nothing runs", async () => {
    const file = new FakeFile(50);
    await new FileDisk(file).close();
    expect(file.calls).toEqual(["close"]);
  });
});
