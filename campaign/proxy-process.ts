import { rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { ProcessGroup } from "../bench/process-groups.ts";
import type { UnflushedMode } from "./campaign-options.ts";
import type { ProxyPlan } from "./cycle-plan.ts";
import { eventually } from "./eventually.ts";
import type { Ground } from "./ground.ts";

const START_DEADLINE_MS = 15_000;

/** What a proxy is run for. */
export interface ProxySettings {
  /** The built main.js. */
  readonly main: string;
  readonly serverPort: number;
  readonly exportName: string;
  readonly clients: number;
  readonly unflushed: UnflushedMode;
  readonly plan: ProxyPlan;
}

/** A proxy that runs. */
export interface ProxyProcess {
  readonly group: ProcessGroup;
  /** The path of the UNIX socket that its clients connect to. */
  readonly socketPath: string;
}

/** Starts the proxy on a ground and waits until it accepts clients. */
export async function startProxy(ground: Ground, settings: ProxySettings): Promise<ProxyProcess> {
  const socketPath = join(ground.folder, "proxy");
  // One that was killed has left it behind.
  await rm(socketPath, { force: true });
  const group = ground.start(process.execPath, [settings.main, ...proxyArguments(socketPath, settings)]);
  await eventually("the proxy listens", START_DEADLINE_MS, async () => {
    if (group.outcome !== undefined) throw new Error(`the proxy ended at once: ${group.stderr.trim()}`);
    return isSocket(socketPath);
  });
  return { group, socketPath };
}

/** The arguments of such a proxy. */
export function proxyArguments(socketPath: string, settings: Omit<ProxySettings, "main">): string[] {
  const { upstreamTimeoutS, pinS, cacheMib } = settings.plan;
  const server = ["--conn-addr", "127.0.0.1", "--conn-port", String(settings.serverPort)];
  return [
    ...["--addr", socketPath, ...server],
    ...(settings.exportName === "" ? [] : ["--export", settings.exportName]),
    ...["--max-clients", String(settings.clients), "--unflushed", settings.unflushed],
    ...(upstreamTimeoutS === undefined ? [] : ["--upstream-timeout", String(upstreamTimeoutS)]),
    // Without the protection there is nothing to pin.
    ...(pinS === undefined || settings.unflushed === "off" ? [] : ["--pin", String(pinS)]),
    ...(cacheMib === undefined ? [] : [`--cache=${cacheMib}M`]),
  ];
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch {
    return false;
  }
}
