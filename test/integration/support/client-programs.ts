import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { everyCall } from "./every-call.ts";
import { Spawned } from "./spawned.ts";

/** Where a client program is to work. */
export interface ClientPlace {
  readonly uri: string;
  /** A folder for its files. */
  readonly folder: string;
  /** A raw file of the disk's size, to compare with and to copy from. */
  readonly imagePath: string;
}

/** A client program with its arguments, and what it says. */
export interface ClientProgram {
  readonly name: string;
  /** What has to be installed. */
  readonly program: string;
  /** Runs it; returns all that it says and does that somebody can see. */
  run(place: ClientPlace): Promise<string>;
}

const READING = ["read -P 0xa5 256k 64k", "read -P 0 5M 64k", "read -P 0 6M 1M", "read -P 1 4M 64k", "read -v 4M 512"];
const WRITING = [
  "write -P 0xb1 8M 256k",
  "write -P 0xb2 8196k 4k",
  "write -f -P 0xb3 8320k 64k",
  "write -z 8M 64k",
  "write -z -u 8256k 64k",
  "aio_write -P 0xb4 8448k 64k",
  "aio_flush",
  "discard 4M 64k",
  "discard 300k 1k",
  "flush",
  "read -P 0xb3 8320k 64k",
  "write 16M 4k",
];
/** Zeros that take room look like data once they are read, on some file systems, so that is done after all else. */
const READ_ZEROS = ["read -P 0 8M 64k", "read -P 0 8256k 64k"];

/** All of them, those that write last. */
export const CLIENT_PROGRAMS: readonly ClientProgram[] = [
  simple("nbdinfo"),
  simple("nbdinfo", "--json"),
  simple("nbdinfo", "--list"),
  simple("nbdinfo", "--list", "--json"),
  simple("nbdinfo", "--size"),
  simple("nbdinfo", "--map"),
  simple("nbdinfo", "--map", "--totals"),
  simple("nbdinfo", "--map=qemu:allocation-depth"),
  simple("nbdinfo", "--map=x-nobody:knows"),
  simple("nbdinfo", "--can", "df"),
  simple("qemu-img", "info", "-f", "raw"),
  simple("qemu-img", "map", "-f", "raw", "--output=json"),
  simple("qemu-img", "map", "-f", "raw", "--output=human"),
  // What is the same where holes need not be, and what is different where they do.
  {
    name: "qemu-img compare",
    program: "qemu-img",
    run: async ({ uri, imagePath }) => {
      const compare = ["compare", "-f", "raw", "-F", "raw"];
      return (
        (await said("qemu-img", [...compare, uri, imagePath])) +
        (await said("qemu-img", [...compare, "-s", imagePath, uri]))
      );
    },
  },
  copiesOut("nbdcopy", (uri, file) => ["nbdcopy", uri, file]),
  copiesOut("nbdcopy, one request at a time", (uri, file) => ["nbdcopy", "--synchronous", "--allocated", uri, file]),
  copiesOut("qemu-img convert", (uri, file) => ["qemu-img", "convert", "-f", "raw", "-O", "raw", uri, file]),
  qemuIo("qemu-io that reads", [...READING, "alloc 0 16M", "map"]),
  qemuIo("qemu-io that writes", [...WRITING, "alloc 8M 1M", "map", ...READ_ZEROS]),
  copiesIn("nbdcopy back", (file, uri) => ["nbdcopy", "--flush", file, uri]),
  qemuIo("qemu-io that writes zeros", ["write -P 9 2M 2M", "write -z 2M 1M", "write -z -u 3M 512k", "flush", "map"]),
  copiesIn("qemu-img convert back", (file, uri) => ["qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", file, uri]),
  { name: "nbdsh", program: "nbdsh", run: ({ uri }) => everyCall(uri) },
];

function simple(program: string, ...args: readonly string[]): ClientProgram {
  return {
    name: [program, ...args].join(" "),
    program,
    run: ({ uri }) => said(program, [...args, uri]),
  };
}

function qemuIo(name: string, commands: readonly string[]): ClientProgram {
  const args = ["-f", "raw", ...commands.flatMap((command) => ["-c", command])];
  return { name, program: "qemu-io", run: ({ uri }) => said("qemu-io", [...args, uri]) };
}

/** A copy to a file: what is in it, and where it has holes. */
function copiesOut(
  name: string,
  command: (uri: string, file: string) => readonly [string, ...string[]],
): ClientProgram {
  const [program] = command("", "");
  return {
    name,
    program,
    run: async ({ uri, folder }) => {
      const file = join(folder, "copy");
      const [, ...args] = command(uri, file);
      const told = await said(program, args);
      const content = await digest(file);
      const map = await said("qemu-img", ["map", "-f", "raw", "--output=json", file]);
      await rm(file);
      return `${told}${content}\n${map}`;
    },
  };
}

/** A copy of the image to the disk, and where that has holes then. */
function copiesIn(name: string, command: (file: string, uri: string) => readonly [string, ...string[]]): ClientProgram {
  const [program] = command("", "");
  return {
    name,
    program,
    run: async ({ uri, imagePath }) => {
      const [, ...args] = command(imagePath, uri);
      const told = await said(program, args);
      const same = await said("qemu-img", ["compare", "-f", "raw", "-F", "raw", imagePath, uri]);
      return told + same + (await said("nbdinfo", ["--map", uri]));
    },
  };
}

/** All output of a program, and how it ended. */
async function said(program: string, args: readonly string[]): Promise<string> {
  const child = new Spawned(program, args);
  const { status, signal } = await child.exited();
  return `${child.stdout}${child.stderr}exit status ${status}, signal ${signal}\n`;
}

async function digest(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
