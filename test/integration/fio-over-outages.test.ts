import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { fioVerifyArgs } from "./support/fio.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { Spawned } from "./support/spawned.ts";

const SIZE = 4 * 1024 * 1024;
// LONG_TESTS=true: about 30 s of fio, outages up to 5 s. Otherwise 12 s, so that it fits in front of every push.
const LONG = process.env["LONG_TESTS"] === "true";
const OUTAGES_MS = LONG ? [100, 5000, 1000, 3000, 500] : [100, 700, 300, 1000, 500];
const LOOPS = LONG ? 8 : 3;
/** Between two outages there must be something to lose. */
const UP_MS = 400;
/** What is aimed at is 500 ms; a machine that does other things as well gets more. */
const BOUND_MS = 2000;

function reconnections(log: string): number {
  return log.split(/:W:.*: connected again/).length - 1;
}

requires("nbdkit", "fio")("while its server is killed and started again, the proxy", () => {
  it.each(["tcp", "unix"] as const)(
    "keeps every byte of fio (%s)",
    async (kind) => {
      const { path } = await randomFile(SIZE);
      const server = await startNbdkit({ plugin: ["file", path], endpoint: await newEndpoint(kind) });
      const proxy = await proxyTo(server, { kind, args: ["--verbose"] });
      const load = [
        "--rw=randwrite",
        "--bs=4k",
        `--size=${SIZE}`,
        "--iodepth=16",
        "--verify_backlog=32",
        "--rate_iops=250",
      ];
      const fio = new Spawned("fio", await fioVerifyArgs(proxy.uri, ...load, `--loops=${LOOPS}`));

      for (const [round, outageMs] of OUTAGES_MS.entries()) {
        await delay(UP_MS);
        await server.stop(round % 2 === 0 ? "SIGTERM" : "SIGKILL");
        await delay(outageMs);
        const before = reconnections(proxy.process.stderr);
        await server.start();
        const listensAtMs = performance.now();
        await proxy.process.until("to connect again", () => reconnections(proxy.process.stderr) > before);
        expect(performance.now() - listensAtMs, proxy.process.stderr).toBeLessThan(BOUND_MS);
      }
      expect(fio.outcome, `fio ended before the last outage did:\n${fio.stdout}${fio.stderr}`).toBeUndefined();
      const outcome = await fio.exited();
      expect(outcome.status, fio.stdout + fio.stderr).toBe(0);
      expect(fio.stdout).toContain("err= 0");

      expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
    },
    120_000,
  );
});
