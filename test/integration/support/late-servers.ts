import assert from "node:assert";
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { diskImage } from "./disk-image.ts";
import { fileHolders } from "./file-holders.ts";
import { freeEndpoint } from "./free-port.ts";
import { startNbdServer } from "./nbd-server-server.ts";
import { startNbdkit } from "./nbdkit-server.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { unreadBytes } from "./unread-bytes.ts";
import { until } from "./until.ts";

/** A real server that can be made to execute a write late, after others that came later over another connection. */
export interface LateServer {
  readonly uri: string;
  readonly exportName: string;
  /** The file behind the disk. */
  readonly imagePath: string;
  /** The next write over the only connection is to be kept for later. */
  hold(): Promise<void>;
  /** Waits until the server has it: that much payload at least. */
  untilHeld(payloadBytes: number): Promise<void>;
  /** Lets it be executed. */
  release(): Promise<void>;
}

/** An nbd-server whose child can be waited for. */
export interface LateNbdServer extends LateServer {
  /** Waits until the child that was held has ended: it executes nothing any more. */
  untilHeldChildEnds(): Promise<void>;
}

/** Starts an nbd-server. Held is a whole connection: the child that serves it is stopped. */
export async function lateNbdServer(sizeBytes: number): Promise<LateNbdServer> {
  const imagePath = await diskImage(sizeBytes);
  const exportName = "disk";
  const endpoint = await freeEndpoint();
  assert(endpoint.kind === "tcp");
  const { uri } = await startNbdServer({ path: imagePath, exportName, endpoint });
  let child = 0;
  return {
    uri,
    exportName,
    imagePath,
    hold: async () => {
      const holders = await fileHolders(imagePath);
      assert(holders.length === 1 && holders[0] !== undefined, `${holders.length} children serve the disk`);
      [child] = holders;
      process.kill(child, "SIGSTOP");
    },
    untilHeld: async (payloadBytes) => {
      await until(
        "the write waits for the stopped child",
        async () => (await unreadBytes(endpoint.port)) > payloadBytes,
      );
    },
    release: async () => void process.kill(child, "SIGCONT"),
    untilHeldChildEnds: async () => {
      await until("the child ends", async () => !(await fileHolders(imagePath)).includes(child));
    },
  };
}

/** Starts an nbdkit that handles requests in parallel, and whose plugin takes its time for the write that is held. */
export async function lateNbdkit(sizeBytes: number): Promise<LateServer> {
  const imagePath = await diskImage(sizeBytes);
  const folder = await scratchFolder();
  const [hold, held] = [join(folder, "hold"), join(folder, "held")];
  // Of the arguments, $3 is the length and $4 the offset. Only one write can rename the file.
  const wait = `if mv ${hold} ${held} 2>/dev/null; then while [ -e ${held} ]; do sleep 0.02; done; fi`;
  const write = `dd of=${imagePath} seek=$4 oflag=seek_bytes conv=notrunc bs=64K status=none`;
  const server = await startNbdkit({
    plugin: [
      "eval",
      "thread_model=echo parallel",
      `get_size=echo ${sizeBytes}`,
      `pread=dd if=${imagePath} skip=$4 count=$3 iflag=skip_bytes,count_bytes bs=64K status=none`,
      `pwrite=${wait}; ${write} iflag=fullblock`,
      `zero=${write} if=/dev/zero count=$3 iflag=count_bytes`,
      "flush=exit 0",
      ...["can_write=exit 0", "can_zero=exit 0", "can_flush=exit 0", "can_fua=echo native"],
    ],
  });
  return {
    uri: server.uri,
    exportName: "",
    imagePath,
    hold: () => writeFile(hold, ""),
    untilHeld: async () => {
      await until("the plugin has the write", () =>
        access(held).then(
          () => true,
          () => false,
        ),
      );
    },
    release: () => rm(held),
  };
}
