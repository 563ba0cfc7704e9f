import { setTimeout as delay } from "node:timers/promises";

import type { DemoClient } from "../../src/demo/demo-client.ts";
import { connectedClient } from "../connected-client.ts";
import type { Contender } from "../contender.ts";
import { uriOf } from "../memory-server.ts";
import type { ProcessGroups } from "../process-groups.ts";
import { fioOutput } from "../run-fio.ts";
import { startProxy } from "../started-proxy.ts";
import { idleUsage } from "./idle-usage.ts";
import type { IdleUsage } from "./idle-usage.ts";
import type { Sample } from "./memory-course.ts";
import { mixedLoadArguments, parseMixedResult } from "./mixed-load.ts";
import type { MixedResult } from "./mixed-load.ts";
import { vitalsOf } from "./process-vitals.ts";
import type { ProcessVitals } from "./process-vitals.ts";

/** How long the parts of a soak are. */
export interface SoakPace {
  readonly loadSeconds: number;
  readonly sampleSeconds: number;
  readonly idleSeconds: number;
}

/** What was seen of one program. */
export interface Soak {
  readonly load: MixedResult;
  readonly samples: readonly Sample[];
  readonly idleConnected: IdleUsage;
  readonly idleAlone: IdleUsage;
}

const CLIENTS = 4;
const SERVE_ALL = `--max-clients=${CLIENTS + 1}`;
const READS_OF_A_CLIENT = 1000;
const READ_BYTES = 4096;
/** From the last request to the look at who is idle: no more than what is done at once is to be left out. */
const SETTLE_MS = 1000;

/** Keeps a program busy, then lets it wait with its clients connected, then without. */
export async function runSoak(
  groups: ProcessGroups,
  command: NonNullable<Contender["command"]>,
  serverPort: number,
  pace: SoakPace,
  say: (text: string) => void,
): Promise<Soak> {
  // Unasked it serves one client, and lets the others wait.
  const { group, port } = await startProxy(groups, (...ports) => [...command(...ports), SERVE_ALL], serverPort);
  const pid = group.id;
  // Connected from the start, as a computer with a disk that it seldom uses.
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectedClient(port)));
  const watch = watchLoad(pid, pace.sampleSeconds, say);
  const args = mixedLoadArguments(uriOf(port), pace.loadSeconds);
  const [load, samples] = await Promise.all([
    fioOutput(groups, args, pace.loadSeconds).finally(watch.stop),
    watch.samples,
  ]);
  await Promise.all(clients.map(readMuch));
  say("idle, with clients");
  const idleConnected = await watchIdle(pid, pace.idleSeconds);
  await Promise.all(clients.map((client) => client.disconnect()));
  say("idle, without clients");
  const idleAlone = await watchIdle(pid, pace.idleSeconds);
  await group.end();
  return { load: parseMixedResult(load), samples, idleConnected, idleAlone };
}

/** So that it is one that had much to do and no longer has. */
async function readMuch(client: DemoClient): Promise<void> {
  for (let count = 0; count < READS_OF_A_CLIENT; count += 1) await client.read(count * READ_BYTES, READ_BYTES);
}

async function watchIdle(pid: number, seconds: number): Promise<IdleUsage> {
  await delay(SETTLE_MS);
  const before = await lookAt(pid);
  await delay(seconds * 1000);
  const after = await lookAt(pid);
  return idleUsage(before.vitals, after.vitals, (after.atMs - before.atMs) / 1000);
}

/** Takes a sample every so often until it is stopped. */
function watchLoad(pid: number, sampleSeconds: number, say: (text: string) => void): Watch {
  const abort = new AbortController();
  const take = async (): Promise<Sample[]> => {
    const samples: Sample[] = [];
    const start = await lookAt(pid);
    for (let last = start; ;) {
      const nextMs = start.atMs + (samples.length + 1) * sampleSeconds * 1000;
      await delay(nextMs - performance.now(), undefined, { signal: abort.signal }).catch(() => undefined);
      if (abort.signal.aborted) return samples;
      const look = await lookAt(pid);
      const { residentKib, cpuMs } = look.vitals;
      const atSeconds = (look.atMs - start.atMs) / 1000;
      samples.push({ atSeconds, residentKib, cpuShare: (cpuMs - last.vitals.cpuMs) / (look.atMs - last.atMs) });
      say(`${atSeconds.toFixed(0)} s, ${(residentKib / 1024).toFixed(1)} MiB`);
      last = look;
    }
  };
  return { samples: take(), stop: () => abort.abort() };
}

interface Watch {
  readonly samples: Promise<Sample[]>;
  readonly stop: () => void;
}

async function lookAt(pid: number): Promise<{ readonly atMs: number; readonly vitals: ProcessVitals }> {
  return { atMs: performance.now(), vitals: await vitalsOf(pid) };
}
