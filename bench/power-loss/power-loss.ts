import assert from "node:assert";

import type { Contender } from "../contender.ts";
import { writeOnceArguments } from "../fio-arguments.ts";
import { uriOf } from "../memory-server.ts";
import type { ProcessGroups } from "../process-groups.ts";
import { oneOutage } from "../recovery/one-outage.ts";
import type { Outage } from "../recovery/outage.ts";
import { RestartableServer } from "../recovery/restartable-server.ts";
import { SteadyReader } from "../recovery/steady-reader.ts";
import { runFio } from "../run-fio.ts";
import { startProxy } from "../started-proxy.ts";
import type { Workload } from "../workload.ts";
import { CachedServer } from "./cached-server.ts";
import { replayedBytes } from "./replayed-bytes.ts";
import type { UnflushedWorkload } from "./unflushed-workload.ts";

const SIZE_BYTES = 1024 * 1024 * 1024;
const WRITE_SECONDS = 30;
/** The reader and fio; and room for all that is written, so that no FLUSH is under way, for whose end a write might wait. */
const OPTIONS = ["--max-clients=2", "--unflushed-limit=256M"] as const;
/** Five FLUSHes that take 80 ms each, so that the proxy asks for none of its own before half of its limit is used. */
const SLOW_FLUSHES: Workload = { name: "flushes", pattern: "write", blockSizeBytes: 64 * 1024, depth: 1 };
const SLOW_FLUSHES_BYTES = 44 * 64 * 1024;
/** Long enough that every attempt of the proxy has failed at least once. */
const OUTAGE_MS = 500;

/** A server's loss of power, as a client behind ours saw it, and what ours wrote again. */
export interface PowerLoss extends Outage {
  readonly replayedBytes: number;
}

/**
 * Has one of ours take the workload's writes, has its server lose all of them, and waits for the first reply to another client,
 * which was there all the time and reads one block after the other. Throws when something else fails, or the server had
 * something less to lose.
 */
export async function powerLoss(
  groups: ProcessGroups,
  contender: Contender,
  workload: UnflushedWorkload,
): Promise<PowerLoss> {
  assert(contender.command !== undefined, "there must be somebody to write it again");
  const { command } = contender;
  const disk = await CachedServer.create(SIZE_BYTES);
  try {
    const server = await RestartableServer.start(groups, disk.slowToFlush);
    const proxy = await startProxy(groups, (...ports) => [...command(...ports), ...OPTIONS], server.port);
    const reader = await SteadyReader.connect(proxy.port, SIZE_BYTES);
    const uri = uriOf(proxy.port);
    await runFio(groups, [...writeOnceArguments(SLOW_FLUSHES, uri, SLOW_FLUSHES_BYTES), "--fsync=8"], WRITE_SECONDS);
    const startMs = performance.now();
    await runFio(groups, writeOnceArguments(workload, uri, workload.totalBytes), WRITE_SECONDS);
    const writtenMs = performance.now() - startMs;
    const outage = await oneOutage(server, disk.plain, reader, OUTAGE_MS);
    reader.close();
    await proxy.group.end();
    await server.kill();
    const replayed = replayedBytes(proxy.group.stderr);
    if (replayed === undefined || replayed < workload.totalBytes) {
      const said = proxy.group.stderr.trim();
      const written = `${workload.totalBytes} bytes were written in ${writtenMs.toFixed(0)} ms`;
      throw new Error(`${written}, and ${replayed ?? 0} again; it said: ${said}`);
    }
    return { ...outage, replayedBytes: replayed };
  } finally {
    await groups.end();
    await disk.remove();
  }
}
