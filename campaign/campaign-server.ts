import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { freePort } from "../bench/listening-port.ts";
import type { ProcessGroup } from "../bench/process-groups.ts";
import { eventually } from "./eventually.ts";
import type { Ground } from "./ground.ts";
import { groupMembers, signalGroup } from "./group-members.ts";
import { serverCommand } from "./server-command.ts";
import type { ServerSettings } from "./server-command.ts";
import type { ServerName } from "./server-name.ts";

const START_DEADLINE_MS = 10_000;

/** A real server that is killed and started again, always on the same port. */
export class CampaignServer {
  readonly name: ServerName;
  readonly port: number;
  /** While this file exists, nbdkit has no space left. */
  readonly noSpacePath: string;
  readonly #ground: Ground;
  readonly #imagePath: string;
  #groupId: number | undefined;
  /** Of a server that stays in the foreground. */
  #process: ProcessGroup | undefined;

  private constructor(ground: Ground, name: ServerName, imagePath: string, port: number) {
    this.#ground = ground;
    this.name = name;
    this.#imagePath = imagePath;
    this.port = port;
    this.noSpacePath = join(ground.folder, "no-space");
  }

  /** One that is still to be started. */
  static async create(ground: Ground, name: ServerName, imagePath: string): Promise<CampaignServer> {
    return new CampaignServer(ground, name, imagePath, await freePort());
  }

  /** Starts it with its own image, or another one, and waits until it listens. */
  async start(imagePath = this.#imagePath): Promise<void> {
    const ground = this.#ground;
    const [configPath, pidPath] = [join(ground.folder, "nbd-server.conf"), join(ground.folder, "nbd-server.pid")];
    const settings: ServerSettings = { port: this.port, imagePath, noSpacePath: this.noSpacePath, configPath, pidPath };
    const { program, args, config } = serverCommand(this.name, settings);
    this.#process = undefined;
    if (config === undefined) {
      this.#process = ground.start(program, args);
      this.#groupId = this.#process.id;
    } else {
      await writeFile(configPath, config);
      await writeFile(pidPath, "");
      await ground.run(program, ...args);
      this.#groupId = await eventually(`${program} writes its process id`, START_DEADLINE_MS, () => pidIn(pidPath));
      ground.adopt(this.#groupId);
    }
    await eventually(`${program} listens`, START_DEADLINE_MS, async () => {
      if (this.lastWords !== undefined) throw new Error(`${program} ended at once: ${this.lastWords}`);
      return ground.isListening(this.port);
    });
  }

  /** What it said before it ended by itself; undefined when it did not, or when that is not known. */
  get lastWords(): string | undefined {
    const { outcome, stderr } = this.#process ?? {};
    return outcome === undefined ? undefined : `${JSON.stringify(outcome)} ${stderr?.trim()}`;
  }

  /** Starts it again if it has ended by itself: some servers abort when their socket is taken away. That is a crash like others. */
  async revive(): Promise<void> {
    if (this.lastWords === undefined) return;
    await this.kill();
    await this.start();
  }

  /** Kills all its processes before it returns; resolves when they have ended. */
  async kill(): Promise<void> {
    const groupId = this.#groupId;
    if (groupId === undefined) return;
    signalGroup(groupId, "SIGKILL");
    await this.#ground.untilEnded(groupId);
    this.#groupId = undefined;
    this.#process = undefined;
  }

  /** All its processes: the first one, and those that it has forked. */
  async processes(): Promise<{ readonly first: number; readonly forked: readonly number[] }> {
    if (this.#groupId === undefined) throw new Error("the server does not run");
    const first = this.#groupId;
    return { first, forked: (await groupMembers(first)).filter((pid) => pid !== first) };
  }
}

/** Makes a disk of zeros. */
export async function makeImage(ground: Ground, path: string, sizeBytes: number): Promise<void> {
  await writeFile(ground.reach(path), "");
  await truncate(ground.reach(path), sizeBytes);
}

async function pidIn(path: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(path, "utf8"), 10);
  return pid > 0 ? pid : undefined;
}
