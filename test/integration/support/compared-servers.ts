import { join } from "node:path";

import { newEndpoint } from "./chain.ts";
import { startNbdkit } from "./nbdkit-server.ts";
import { startQemuNbd } from "./qemu-nbd-server.ts";
import type { RealServer } from "./real-server.ts";
import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { SPARSE_PARTS, SPARSE_SIZE, sparseImage } from "./sparse-image.ts";

/** A kind of server that a proxy is compared with. */
export interface ComparedServer {
  readonly name: string;
  /** What has to be installed. */
  readonly program: string;
  /** Whether it has the same disk again when it is started again. */
  readonly restarts: boolean;
  /** Starts one with a sparse disk of its own, always the same one. */
  start(): Promise<RealServer>;
}

/** The sizes that a server with block sizes of its own insists on. */
const [MINIMUM, PREFERRED, MAXIMUM] = [4096, 64 * 1024, 1024 * 1024];

/** All kinds. */
export const COMPARED_SERVERS: readonly ComparedServer[] = [
  {
    name: "nbdkit",
    program: "nbdkit",
    restarts: true,
    start: async () => startNbdkit({ plugin: ["file", await sparseImage()], endpoint: await newEndpoint("unix") }),
  },
  {
    name: "nbdkit of memory",
    program: "nbdkit",
    restarts: false,
    start: async () => {
      const content = SPARSE_PARTS.map(({ offset, length, fill }) => `@${offset} ${fill}*${length}`).join(" ");
      const plugin = ["data", content, `size=${SPARSE_SIZE}`];
      return startNbdkit({ plugin, endpoint: await newEndpoint("unix") });
    },
  },
  {
    name: "nbdkit with block sizes",
    program: "nbdkit",
    restarts: true,
    start: async () => {
      const sizes = [`minimum=${MINIMUM}`, `preferred=${PREFERRED}`, `maximum=${MAXIMUM}`, "error-policy=error"];
      const plugin = ["file", await sparseImage(), ...sizes.map((setting) => `blocksize-${setting}`)];
      return startNbdkit({ plugin, filters: ["blocksize-policy"], endpoint: await newEndpoint("unix") });
    },
  },
  {
    name: "qemu-nbd of a raw file",
    program: "qemu-nbd",
    restarts: true,
    start: async () => startQemu(await sparseImage(), "raw"),
  },
  {
    name: "qemu-nbd of an overlay",
    program: "qemu-nbd",
    restarts: true,
    start: async () => startQemu(await overlay(), "qcow2"),
  },
];

async function startQemu(path: string, format: string): Promise<RealServer> {
  const args = ["--discard=unmap", "--allocation-depth"];
  return startQemuNbd({ path, format, args, endpoint: await newEndpoint("unix") });
}

/** A qcow2 file over a sparse image, with some data, some zeros, and a part that was discarded. */
async function overlay(): Promise<string> {
  const path = join(await scratchFolder(), "overlay");
  await run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", await sparseImage(), path);
  const commands = ["write -q -P 0x33 2M 64k", "write -q -z 1M 64k", "write -q -P 0x34 4160k 64k", "discard -q 0 128k"];
  await run("qemu-io", "-f", "qcow2", ...commands.flatMap((command) => ["-c", command]), path);
  return path;
}
