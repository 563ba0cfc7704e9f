import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { FILL_BLOCK, blockFills } from "./support/block-fills.ts";
import { Detour } from "./support/detour.ts";
import { lateNbdkit, lateNbdServer } from "./support/late-servers.ts";
import type { LateServer } from "./support/late-servers.ts";
import { LONG_TESTS } from "./support/long-tests.ts";
import { PlainClient } from "./support/plain-client.ts";
import type { Wanted } from "./support/plain-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import type { ProxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { SteadyReader } from "./support/steady-reader.ts";
import { until } from "./support/until.ts";

const SIZE = 1024 * 1024;
/** Many times what the newer writes take, and short enough to wait for. */
const PIN_S = 6;
/** So many times it is read while the late write is there, and again when it is gone. */
const READS = 20;

/** The first blocks with all that was acknowledged, and with the oldest of it written once more. */
const NEWEST = "2 2 2 1 3 1 0 1 0";
const STALE = "2 1 1 1 1 1 1 1 0";
const BYTES = 9 * FILL_BLOCK;

type StartServer = (sizeBytes: number) => Promise<LateServer>;

/** How the connection with the unanswered write ends. */
type Loss = "cut" | "given up";

const CASES: readonly (readonly [what: string, startServer: StartServer, loss: Loss])[] = [
  ["a stopped child of nbd-server, its connection cut", lateNbdServer, "cut"],
  ["a stopped child of nbd-server, its connection given up", lateNbdServer, "given up"],
  ["a slow write in nbdkit, its connection cut", lateNbdkit, "cut"],
  ...(LONG_TESTS ? [["a slow write in nbdkit, its connection given up", lateNbdkit, "given up"] as const] : []),
];

/** A server that still has a write of a lost connection, which the proxy has sent again and the client overwritten. */
interface Overtaken {
  readonly server: LateServer;
  readonly proxy: ProxyBefore;
  readonly client: PlainClient;
}

async function overtaken(startServer: StartServer, loss: Loss, args: readonly string[]): Promise<Overtaken> {
  const server = await startServer(SIZE);
  const { exportName } = server;
  const detour = await Detour.to(server.uri);
  const patience = loss === "given up" ? ["--upstream-timeout", "1"] : [];
  const proxy = await proxyBefore([detour.uri], { exportName, args: ["--verbose", ...patience, ...args] });
  const client = await PlainClient.connect(proxy.endpoint, exportName);
  const send = async (wanted: Wanted): Promise<void> => {
    expect((await client.request(wanted)).error).toBe(0);
  };

  await server.hold();
  const first = send({ command: wire.WRITE, offset: FILL_BLOCK, payload: filled(7, 1) });
  await server.untilHeld(7 * FILL_BLOCK);
  if (loss === "cut") detour.cut();
  await first;
  expect(proxy.process.stderr.match(/connection lost/g)).toHaveLength(1);

  // Newer content over a part of it, in every way; the last to come is FLUSH.
  await send({ command: wire.WRITE, offset: 0, payload: filled(3, 2) });
  await send({ command: wire.WRITE, flags: wire.FUA, offset: 4 * FILL_BLOCK, payload: filled(1, 3) });
  await send({ command: wire.WRITE_ZEROES, offset: 6 * FILL_BLOCK, length: FILL_BLOCK });
  await send({ command: wire.FLUSH });
  expect(await imageFills(server)).toBe(NEWEST);
  return { server, proxy, client };
}

/** Lets the server execute the write that it still has, and waits until it has. */
async function executeLate(server: LateServer): Promise<void> {
  await server.release();
  await until("the late write is in the file", async () => (await imageFills(server)) === STALE);
}

async function imageFills({ imagePath }: LateServer): Promise<string> {
  return blockFills((await readFile(imagePath)).subarray(0, BYTES));
}

function filled(blocks: number, fill: number): Buffer {
  return Buffer.alloc(blocks * FILL_BLOCK, fill);
}

requires("nbd-server", "nbdkit")(
  "a write that the server executes after newer ones, the connection it came over being lost",
  () => {
    it.each(CASES)("wins for good without the pin: %s", async (_, startServer, loss) => {
      const { server, proxy, client } = await overtaken(startServer, loss, ["--pin", "0"]);

      await executeLate(server);
      expect(blockFills(await client.read(0, BYTES))).toBe(STALE);

      // Nobody noticed, and nobody will.
      await client.disconnect();
      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
      expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
      expect(await imageFills(server)).toBe(STALE);
    });

    it.each(CASES)("is never seen while the pin lasts, and undone at its end: %s", async (_, startServer, loss) => {
      const { server, proxy, client } = await overtaken(startServer, loss, ["--pin", String(PIN_S)]);
      const reader = new SteadyReader(client, BYTES, blockFills);

      await executeLate(server);
      await reader.untilReads(READS);
      expect(reader.seen).toEqual([NEWEST]);
      await proxy.process.untilStderr(/:I:.*pin ended/);
      await until("the file has the newest content again", async () => (await imageFills(server)) === NEWEST);
      await reader.untilReads(READS);
      await reader.stop();
      expect(reader.seen).toEqual([NEWEST]);

      await client.disconnect();
      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
      expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
      expect(await imageFills(server)).toBe(NEWEST);
    });

    it("is not seen by the next client either, and undone when the proxy stops before the pin ends", async () => {
      const { server, proxy, client } = await overtaken(lateNbdkit, "cut", []);
      await client.disconnect();

      await executeLate(server);
      const next = await PlainClient.connect(proxy.endpoint);
      expect(blockFills(await next.read(0, BYTES))).toBe(NEWEST);

      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
      expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
      expect(await imageFills(server)).toBe(NEWEST);
    });
  },
);
