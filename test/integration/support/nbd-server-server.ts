import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";
import { isListening, uriOf } from "./endpoints.ts";
import { freeEndpoint } from "./free-port.ts";
import { removeSocket } from "./real-server.ts";
import type { RealServer } from "./real-server.ts";
import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { signalGroup } from "./spawned.ts";
import { until } from "./until.ts";

/** What nbd-server serves, and how. */
export interface NbdServerOptions {
  /** The file behind the disk. */
  readonly path: string;
  /** A port that the kernel chooses when absent. */
  readonly endpoint?: Endpoint;
  /** `disk` when absent; nbd-server has no default export. */
  readonly exportName?: string;
  /** More lines for the export's section, such as `readonly = true`. */
  readonly lines?: readonly string[];
}

/** Starts a real nbd-server, which forks a process for each client. */
export async function startNbdServer(options: NbdServerOptions): Promise<RealServer> {
  const endpoint = options.endpoint ?? (await freeEndpoint());
  const exportName = options.exportName ?? "disk";
  const folder = await scratchFolder();
  const configuration = [
    "[generic]",
    "allowlist = true",
    ...(endpoint.kind === "unix"
      ? [`unixsock = ${endpoint.path}`]
      : [`listenaddr = ${endpoint.host}`, `port = ${endpoint.port}`]),
    `[${exportName}]`,
    `exportname = ${options.path}`,
    "flush = true",
    "fua = true",
    "trim = true",
    ...(options.lines ?? []),
  ];
  await writeFile(join(folder, "config"), `${configuration.join("\n")}\n`);
  const server = new NbdServer(endpoint, exportName, folder);
  await server.start();
  return server;
}

/** nbd-server as a daemon: in the foreground (-d) it ends with its first client. */
class NbdServer implements RealServer {
  readonly endpoint: Endpoint;
  readonly uri: string;
  readonly #folder: string;
  /** A daemon leads its own session, so this is the group of its children as well. */
  #pid: number | undefined;

  constructor(endpoint: Endpoint, exportName: string, folder: string) {
    this.endpoint = endpoint;
    this.uri = uriOf(endpoint, exportName);
    this.#folder = folder;
  }

  async start(): Promise<void> {
    await removeSocket(this.endpoint);
    const pidFile = join(this.#folder, "pid");
    await writeFile(pidFile, "");
    const killNow = (): void => this.signal("SIGKILL");
    process.once("exit", killNow);
    atEnd(async () => {
      await this.stop("SIGKILL");
      process.off("exit", killNow);
    });
    await run("nbd-server", "-C", join(this.#folder, "config"), "-p", pidFile);
    this.#pid = await until("nbd-server writes its process id", async () => {
      const pid = Number.parseInt(await readFile(pidFile, "utf8"), 10);
      return pid > 0 ? pid : undefined;
    });
    await until("nbd-server listens", () => isListening(this.endpoint));
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const pid = this.#pid;
    if (pid === undefined) return;
    this.signal(signal);
    await until("nbd-server ends", () => hasEnded(pid));
    this.#pid = undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#pid !== undefined) signalGroup(this.#pid, signal);
  }
}

/** Whether no process of the group runs. A daemon's zombie may stay for long where init does not collect it. */
async function hasEnded(groupId: number): Promise<boolean> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // "pid (command) state parent group …"; the command may hold anything but ends at the last bracket.
    const [state, , group] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    if (group === String(groupId) && state !== "Z") return false;
  }
  return true;
}
