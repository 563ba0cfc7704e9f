import type { UnflushedMode } from "./campaign-options.ts";
import { CampaignServer } from "./campaign-server.ts";
import { runCheckedCycle } from "./checked-cycle.ts";
import type { CycleOutcome, FaultWindow } from "./cycle-outcome.ts";
import type { CyclePlan } from "./cycle-plan.ts";
import type { DiskOnMedium } from "./disk-on-medium.ts";
import { runFioCycle } from "./fio-cycle.ts";
import type { Ground } from "./ground.ts";
import { startProxy } from "./proxy-process.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import { exportNameOf } from "./server-command.ts";

/** What is the same for all cycles. */
export interface CycleSurroundings {
  readonly ground: Ground;
  /** The built main.js of the proxy. */
  readonly main: string;
  readonly unflushed: UnflushedMode;
}

/**
 * Starts a server and the proxy, has the planned faults strike under load, kills both, and looks at the file. Never throws
 * for what the proxy or a server does.
 */
export async function runCycle(
  plan: CyclePlan,
  disk: DiskOnMedium,
  { ground, main, unflushed }: CycleSurroundings,
): Promise<CycleOutcome> {
  const startMs = performance.now();
  const windows: FaultWindow[] = [];
  const server = await CampaignServer.create(ground, plan.server, disk.path);
  let proxy: ProxyProcess | undefined;
  let failure: string | undefined;
  try {
    await server.start();
    const clients = plan.load.kind === "fio" ? 1 : plan.load.clients;
    const exportName = exportNameOf(plan.server);
    proxy = await startProxy(ground, {
      main,
      serverPort: server.port,
      exportName,
      clients,
      unflushed,
      plan: plan.proxy,
    });
    const stage = { plan, ground, disk, server, proxy, windows };
    failure = await (plan.load.kind === "fio" ? runFioCycle(stage, plan.load) : runCheckedCycle(stage, plan.load));
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  if (failure !== undefined && server.lastWords !== undefined) failure += `\nthe server ended: ${server.lastWords}`;
  if (proxy?.group.outcome !== undefined)
    failure = `the proxy ended: ${JSON.stringify(proxy.group.outcome)}; ${failure}`;
  // The server first: it loses its cache once more, and what the last FLUSH said must be true without the proxy.
  await server.kill();
  await proxy?.group.end();
  if (failure === undefined && plan.load.kind === "checker") {
    windows.at(-1)?.tally.findings.push(...(await disk.inspect()));
  }
  if (failure !== undefined && proxy !== undefined)
    failure += `\nthe proxy's last words:\n${proxy.group.stderr.trim()}`;
  return { plan, windows, failure, seconds: (performance.now() - startMs) / 1000 };
}
