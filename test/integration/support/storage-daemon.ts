import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";
import { uriOf } from "./endpoints.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { Spawned } from "./spawned.ts";
import { until } from "./until.ts";

/** What a daemon answers to a QMP command. */
interface QmpAnswer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** A qemu-storage-daemon that exports one raw file, and is told what to do over its QMP socket. */
export class StorageDaemon {
  readonly process: Spawned;
  readonly uri: string;
  /** The commands that it was given, without questions. */
  readonly commands: string[] = [];
  readonly #qmp: net.Socket;
  readonly #answers: QmpAnswer[] = [];

  private constructor(process: Spawned, uri: string, qmp: net.Socket) {
    this.process = process;
    this.uri = uri;
    this.#qmp = qmp;
    atEnd(() => void qmp.destroy());
    const lines = createInterface(qmp);
    lines.on("line", (line) => {
      const message = JSON.parse(line) as QmpAnswer;
      // The rest is a greeting and events.
      if ("return" in message || "error" in message) this.#answers.push(message);
    });
    // A daemon that quits is no failure of its client. The interface passes on what is wrong with its socket.
    qmp.on("error", () => undefined);
    lines.on("error", () => undefined);
  }

  /** Starts one. Its file is the node `disk`, its export has no name. */
  static async start(imagePath: string, endpoint: Endpoint): Promise<StorageDaemon> {
    if (endpoint.kind !== "tcp") throw new Error("not a TCP port");
    const qmpPath = join(await scratchFolder(), "qmp");
    const process = new Spawned("qemu-storage-daemon", [
      ...["--chardev", `socket,id=qmp,path=${qmpPath},server=on,wait=off`, "--monitor", "chardev=qmp"],
      ...["--blockdev", `file,node-name=disk,filename=${imagePath}`],
      ...["--nbd-server", `addr.type=inet,addr.host=${endpoint.host},addr.port=${endpoint.port}`],
      ...["--export", "nbd,id=disk,node-name=disk,name=,writable=on"],
    ]);
    await process.untilListening(endpoint);
    const qmp = net.connect(qmpPath);
    await once(qmp, "connect");
    const daemon = new StorageDaemon(process, uriOf(endpoint), qmp);
    await daemon.execute("qmp_capabilities");
    daemon.commands.length = 0;
    return daemon;
  }

  /** Executes a command, the one before being done; throws when it is refused. */
  async execute(command: string, commandArguments: object = {}): Promise<unknown> {
    if (!command.startsWith("query-")) this.commands.push(command);
    this.#qmp.write(`${JSON.stringify({ execute: command, arguments: commandArguments })}\n`);
    const answer = await until(`${command} is answered`, () => this.#answers.shift());
    if (answer.error !== undefined) throw new Error(`${command}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Waits until a job has a status, or, for undefined, is no more. */
  async untilJob(id: string, status: string | undefined): Promise<void> {
    await until(`the job ${id} is ${status}`, async () => {
      const jobs = (await this.execute("query-jobs")) as readonly { id: string; status: string; error?: string }[];
      const job = jobs.find((one) => one.id === id);
      if (job?.error !== undefined) throw new Error(`the job ${id} failed: ${job.error}`);
      return job?.status === status;
    });
  }
}
