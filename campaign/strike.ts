import { rm, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { CampaignServer } from "./campaign-server.ts";
import { makeImage } from "./campaign-server.ts";
import type { StrikePlan } from "./cycle-plan.ts";
import { fillMedium } from "./full-medium.ts";
import type { Ground } from "./ground.ts";
import { cutNetwork, mendNetwork, resetConnection } from "./network-faults.ts";

/** A server that can't bear the loss of its socket aborts with its next answer. */
const ABORT_MS = 50;

/** Who is struck. */
export interface Target {
  readonly ground: Ground;
  readonly server: CampaignServer;
  readonly sizeBytes: number;
  /** Called at the moment in which a server is killed. */
  readonly onKill: () => void;
}

/** Has a fault strike, and resolves when it is over and the server is there again. Throws when it can't be had. */
export async function strike(plan: StrikePlan, target: Target): Promise<void> {
  const { ground, server } = target;
  const { lastsMs, variant } = plan;
  switch (plan.fault) {
    case "power-loss":
    case "kill":
      target.onKill();
      await server.kill();
      await delay(lastsMs);
      await server.start();
      return;
    case "stop":
      return stop(server, lastsMs, variant < 0.5);
    case "reset":
      await resetConnection(ground, server.port, variant < 0.4 ? "proxy" : variant < 0.8 ? "server" : "both");
      await delay(ABORT_MS);
      return server.revive();
    case "drop":
      await cutNetwork(ground);
      await delay(lastsMs);
      return mendNetwork(ground);
    case "enospc":
      return takeSpace(target, lastsMs);
    case "other-size":
      return standIn(target, lastsMs, variant < 0.5 ? target.sizeBytes * 2 : target.sizeBytes / 2);
  }
}

/** Stops all processes of a server or, if it forks them, only those that serve somebody: then others are let in. */
async function stop(server: CampaignServer, lastsMs: number, onlyForked: boolean): Promise<void> {
  const { first, forked } = await server.processes();
  const stopped = onlyForked && forked.length > 0 ? forked : [first, ...forked];
  for (const pid of stopped) signal(pid, "SIGSTOP");
  await delay(lastsMs);
  for (const pid of stopped) signal(pid, "SIGCONT");
}

/** nbdkit has a filter for it; the others need a file system that is full. */
async function takeSpace({ ground, server }: Target, lastsMs: number): Promise<void> {
  if (server.name === "nbdkit" || server.name === "nbdkit-cache") {
    await writeFile(server.noSpacePath, "");
    await delay(lastsMs);
    await rm(server.noSpacePath);
    return;
  }
  const ballast = await fillMedium(ground);
  await delay(lastsMs);
  await ballast.free();
}

/** Puts a server with another disk in the place of the right one. Nobody may write to that disk. */
async function standIn({ ground, server, onKill }: Target, lastsMs: number, sizeBytes: number): Promise<void> {
  const path = join(ground.medium, "stranger");
  await makeImage(ground, path, sizeBytes);
  onKill();
  await server.kill();
  await server.start(path);
  await delay(lastsMs);
  await server.kill();
  await server.start();
  if (!(await isAllZeros(ground.reach(path)))) throw new Error("the proxy wrote to a disk of another size");
  await rm(ground.reach(path));
}

async function isAllZeros(path: string): Promise<boolean> {
  const zeros = Buffer.alloc(1024 * 1024);
  for await (const chunk of createReadStream(path, { highWaterMark: zeros.length })) {
    if (!zeros.subarray(0, (chunk as Buffer).length).equals(chunk as Buffer)) return false;
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // A process that serves one connection ends with it.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
