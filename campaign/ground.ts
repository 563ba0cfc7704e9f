import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findProgram } from "../bench/find-program.ts";
import type { ProcessGroup, ProcessGroups } from "../bench/process-groups.ts";
import { eventually } from "./eventually.ts";
import { groupMembers, signalGroup } from "./group-members.ts";

/** The file system that can be filled up: room for the largest disk, one of twice its size, and holes. */
const MEDIUM_MIB = 192;
const LISTEN_STATE = "0A";
const START_DEADLINE_MS = 10_000;
const END_DEADLINE_MS = 10_000;

/**
 * Where the servers and the proxy of a campaign run. On a private ground they have a network namespace and a small file
 * system of their own, which can be cut off and filled up and which vanish with the last process in them.
 */
export class Ground {
  /** For sockets and the like; removed at the end. */
  readonly folder: string;
  /** Where the disks are, as servers see it. */
  readonly medium: string;
  /** Why it is not private; undefined when it is. */
  readonly notPrivate: string | undefined;
  readonly #groups: ProcessGroups;
  readonly #holder: ProcessGroup | undefined;
  readonly #daemons = new Set<number>();

  private constructor(groups: ProcessGroups, folder: string, holder: ProcessGroup | string) {
    this.#groups = groups;
    this.folder = folder;
    this.medium = join(folder, "medium");
    this.#holder = typeof holder === "string" ? undefined : holder;
    this.notPrivate = typeof holder === "string" ? holder : undefined;
  }

  /** Makes one, private where the machine allows it. */
  static async create(groups: ProcessGroups): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), "campaign-"));
    const medium = join(folder, "medium");
    await mkdir(medium);
    return new Ground(groups, folder, await makePrivate(groups, medium));
  }

  /** Starts a program there. */
  start(program: string, args: readonly string[]): ProcessGroup {
    const holder = this.#holder;
    if (holder === undefined) return this.#groups.start(program, args);
    return this.#groups.start("nsenter", [`--target=${holder.id}`, "--net", "--mount", "--", program, ...args]);
  }

  /** Runs a program there to its end and resolves to its stdout. Throws when it fails. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const group = this.start(program, args);
    const outcome = await group.ended;
    if ("error" in outcome) throw outcome.error;
    if (outcome.status === 0) return group.stdout;
    throw new Error(`${program} ${args.join(" ")} ended with status ${outcome.status}: ${group.stderr.trim()}`);
  }

  /** Sees to it that a daemon with this process group ends, too. */
  adopt(groupId: number): void {
    this.#daemons.add(groupId);
  }

  /** Waits until no process of a group that was killed is there. */
  async untilEnded(groupId: number): Promise<void> {
    await eventually("a process ends", END_DEADLINE_MS, async () => (await groupMembers(groupId)).length === 0);
    this.#daemons.delete(groupId);
  }

  /** How this process reaches a file of the medium. */
  reach(path: string): string {
    return this.#holder === undefined ? path : join("/proc", String(this.#holder.id), "root", path);
  }

  /** Whether somebody listens on a TCP port there. It asks the kernel, since a connection would be a client. */
  async isListening(port: number): Promise<boolean> {
    const text = await readFile(`/proc/${this.#holder?.id ?? "self"}/net/tcp`, "utf8");
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    return text.split("\n").some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === LISTEN_STATE && local?.endsWith(suffix) === true;
    });
  }

  /** Kills everything and removes the folder, without waiting. */
  kill(): void {
    for (const groupId of this.#daemons) signalGroup(groupId, "SIGKILL");
    if (this.#holder !== undefined) killNamespace(this.#holder.id);
    this.#groups.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Kills everything, waits for the end and removes the folder. */
  async end(): Promise<void> {
    const daemons = [...this.#daemons];
    this.kill();
    for (const groupId of daemons) await this.untilEnded(groupId);
    await this.#groups.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Kills all processes of the network namespace that `holder` is in: a daemon may just have been born. */
function killNamespace(holder: number): void {
  const namespace = namespaceOf(holder);
  if (namespace === undefined || namespace === namespaceOf(process.pid)) return;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || namespaceOf(Number(name)) !== namespace) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch {
      // It ended by itself just now.
    }
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** Makes the namespaces; resolves to who holds them, or to the reason why there are none. */
async function makePrivate(groups: ProcessGroups, medium: string): Promise<ProcessGroup | string> {
  if (process.getuid?.() !== 0) return "it takes root";
  const missing = ["unshare", "nsenter", "mount", "ip", "nft", "ss"].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  const script = `ip link set lo up && mount -t tmpfs -o size=${MEDIUM_MIB}m medium "$0" && echo ready && exec sleep infinity`;
  const holder = groups.start("unshare", ["--net", "--mount", "sh", "-c", script, medium]);
  await eventually("a namespace", START_DEADLINE_MS, () => holder.stdout !== "" || holder.outcome !== undefined);
  return holder.outcome === undefined ? holder : `no namespaces: ${holder.stderr.trim()}`;
}
